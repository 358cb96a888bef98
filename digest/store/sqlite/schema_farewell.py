"""Why people left, as far as they say: no name, no day, no order. Never edited once it shipped."""

FAREWELL = """
CREATE TABLE farewell (                  -- one answer; its key is drawn by lot, so that rows do not stand in the order they came
  lot BLOB PRIMARY KEY DEFAULT (randomblob(16)),
  month TEXT NOT NULL, language TEXT NOT NULL,
  reason TEXT NOT NULL,
  words TEXT NOT NULL                    -- personal: one line, if they wrote one
) STRICT, WITHOUT ROWID;
"""
