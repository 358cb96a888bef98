"""What readers' life needs of the tables, in two migrations: READERS, then SUGGESTIONS. Never edited once they shipped."""

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
