"""What readers' life needs of the tables, in four migrations: READERS to CUTS. Never edited once they shipped."""

READERS = """
ALTER TABLE subscriber ADD COLUMN cadence TEXT NOT NULL DEFAULT 'every' CHECK (cadence IN ('every', 'quarterly'));
ALTER TABLE subscriber ADD COLUMN paused_until INTEGER;
ALTER TABLE subscriber ADD COLUMN note TEXT NOT NULL DEFAULT '';         -- personal: who they say they are
ALTER TABLE subscriber ADD COLUMN sponsor TEXT;                          -- reader:<id> or editor:<id>
ALTER TABLE subscriber ADD COLUMN new_address TEXT;                      -- personal: asked for, not yet proven
ALTER TABLE subscriber ADD COLUMN declined_at INTEGER;
CREATE INDEX subscriber_by_sponsor ON subscriber (sponsor) WHERE sponsor IS NOT NULL;

CREATE TABLE mail_domain (               -- what editors decided about a domain; A-labels, lower case
  name TEXT PRIMARY KEY,
  admitted INTEGER NOT NULL,             -- 1: its people come in by themselves
  organisation TEXT NOT NULL, jurisdiction TEXT NOT NULL, level TEXT NOT NULL,
  at INTEGER NOT NULL, editor TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE hit (                       -- how often in an hour; keys are keyed hashes, hours count from 1970
  scope TEXT NOT NULL, key TEXT NOT NULL, hour INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (scope, key, hour)
) STRICT, WITHOUT ROWID;

CREATE TABLE used_form (mark TEXT PRIMARY KEY, expires_at INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE code (                      -- six digits to type instead of a link; only their keyed hash
  subscriber INTEGER PRIMARY KEY REFERENCES subscriber ON DELETE CASCADE,
  mark TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE head_count (                -- how many readers there were at the end of a month, never who
  month TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (month, kind, name)
) STRICT, WITHOUT ROWID;
"""

SUGGESTIONS = """
CREATE TABLE suggestion (                -- what people would like to see in the letter
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('post', 'event', 'idea')),
  title TEXT NOT NULL, url TEXT, words TEXT NOT NULL,
  starts INTEGER, timezone TEXT, place TEXT NOT NULL, language TEXT NOT NULL,
  subscriber INTEGER REFERENCES subscriber ON DELETE SET NULL,           -- the reader who is thanked
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'used', 'aside')),
  item INTEGER REFERENCES item ON DELETE SET NULL,
  at INTEGER NOT NULL, settled_at INTEGER, settled_by TEXT
) STRICT;
CREATE INDEX suggestion_open ON suggestion (id) WHERE state = 'open';
"""

VOICES = """
ALTER TABLE suggestion ADD COLUMN author TEXT NOT NULL DEFAULT '';       -- as the page behind the link says
ALTER TABLE suggestion ADD COLUMN found_title TEXT NOT NULL DEFAULT '';
ALTER TABLE suggestion ADD COLUMN found_language TEXT;
ALTER TABLE suggestion ADD COLUMN looked_at INTEGER;
ALTER TABLE suggestion ADD COLUMN look_fault TEXT NOT NULL DEFAULT '';   -- the sort of fault, when the page could not be read
ALTER TABLE suggestion ADD COLUMN thanked_at INTEGER;
CREATE INDEX suggestion_to_look ON suggestion (id) WHERE state = 'open' AND looked_at IS NULL;
CREATE INDEX suggestion_to_thank ON suggestion (item) WHERE state = 'used' AND thanked_at IS NULL;

CREATE TABLE introduction (              -- what readers say of themselves to the others, once an editor has read it
  subscriber INTEGER PRIMARY KEY REFERENCES subscriber ON DELETE CASCADE,
  name TEXT NOT NULL,                    -- personal: as they want to be called
  who TEXT NOT NULL,                     -- personal: who they are
  looks_for TEXT NOT NULL,               -- personal: whom or what they look for
  link TEXT,                             -- personal: where they can be reached, if they want that
  language TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'shown', 'declined')),
  at INTEGER NOT NULL, settled_at INTEGER, settled_by TEXT
) STRICT;
CREATE INDEX introduction_by_state ON introduction (state, at);

CREATE TABLE issue_community (           -- counts and introductions as an approved issue shows them, as JSON
  issue INTEGER PRIMARY KEY REFERENCES issue ON DELETE CASCADE,
  value TEXT NOT NULL                    -- personal: introductions, until they are withdrawn
) STRICT;
"""

CUTS = """
ALTER TABLE subscriber ADD COLUMN wanted TEXT NOT NULL DEFAULT 'every' CHECK (wanted IN ('every', 'quarterly', 'events'));
UPDATE subscriber SET wanted = cadence WHERE cadence <> 'every';
ALTER TABLE subscriber DROP COLUMN cadence;
ALTER TABLE subscriber RENAME COLUMN wanted TO cadence;
-- The few who want less than the whole letter, so that approving need not look at everybody.
CREATE INDEX subscriber_chooses ON subscriber (language, timezone, cadence, topics)
  WHERE state = 'confirmed' AND (cadence <> 'every' OR topics <> '[]');
"""
