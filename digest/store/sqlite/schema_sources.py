"""What sources need of the tables: SOURCES, TWINS, LEFT_OUT, PARTED, OF_EVENTS, UNDATED, TURNED, a migration each.
Never edited once shipped."""

SOURCES = """
ALTER TABLE source ADD COLUMN added INTEGER NOT NULL DEFAULT 0;    -- 1: by command or at the desk, not in config.toml
ALTER TABLE source ADD COLUMN moved_to TEXT;                       -- where permanent redirects lead
ALTER TABLE source ADD COLUMN moved_since INTEGER;
ALTER TABLE source ADD COLUMN moved_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE source ADD COLUMN gap_at INTEGER;                      -- when a visit knew nothing of what it found
ALTER TABLE item ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
"""

TWINS = """
ALTER TABLE item ADD COLUMN merged_into INTEGER REFERENCES item;   -- it is a copy: that one stands for both
CREATE INDEX item_copies ON item (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE twin (                      -- two items that are alike, and what was said of them; kept for ever
  one INTEGER NOT NULL REFERENCES item ON DELETE CASCADE,
  other INTEGER NOT NULL REFERENCES item ON DELETE CASCADE,              -- seen later than `one`
  verdict TEXT NOT NULL CHECK (verdict IN ('open', 'same', 'apart')),
  asked_at INTEGER NOT NULL,
  settled_at INTEGER, by TEXT NOT NULL DEFAULT '',                       -- '' is digest itself
  PRIMARY KEY (one, other)
) STRICT, WITHOUT ROWID;
CREATE INDEX twin_by_other ON twin (other);
"""

LEFT_OUT = """
ALTER TABLE source ADD COLUMN left_out INTEGER NOT NULL DEFAULT 0;       -- entries of the last answer that could not be read
ALTER TABLE source ADD COLUMN left_out_first TEXT NOT NULL DEFAULT '';
ALTER TABLE source ADD COLUMN left_out_why TEXT NOT NULL DEFAULT '';
CREATE INDEX item_source_by_source ON item_source (source, first_seen);  -- how much each brings in a month
"""

PARTED = """
CREATE TABLE parted (                    -- what this source shows under the same identity is another thing, an editor said
  item INTEGER NOT NULL REFERENCES item ON DELETE CASCADE,
  source INTEGER NOT NULL REFERENCES source ON DELETE CASCADE,
  at INTEGER NOT NULL, by TEXT NOT NULL,
  PRIMARY KEY (item, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX parted_by_source ON parted (source);
"""

OF_EVENTS = """
ALTER TABLE source ADD COLUMN of_events INTEGER NOT NULL DEFAULT 0;      -- 1: a feed whose dates are beginnings
"""

UNDATED = """
ALTER TABLE source ADD COLUMN undated TEXT NOT NULL DEFAULT '';          -- how most of its posts come without a date
"""

TURNED = """
ALTER TABLE source ADD COLUMN was_kind TEXT NOT NULL DEFAULT '';         -- what it was before it became of another kind
ALTER TABLE source ADD COLUMN turned_at INTEGER;
"""

LENT = """
ALTER TABLE item_source ADD COLUMN stated TEXT;   -- of an event in the words of another source: JSON, as columns of item
"""
