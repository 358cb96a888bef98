"""What pacing adds: learned paces, who gets an issue first, how far a run is. Never edited once it shipped."""

PACE = """
CREATE TABLE pace (                      -- letters a second and connections; 0: no limit
  kind TEXT NOT NULL CHECK (kind IN ('relay', 'domain')), name TEXT NOT NULL,
  rate REAL NOT NULL, width INTEGER NOT NULL,
  rests_until INTEGER, words TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (kind, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE canary (                    -- an issue whose first letters go ahead of the rest
  issue INTEGER PRIMARY KEY REFERENCES issue ON DELETE CASCADE,
  stage TEXT NOT NULL CHECK (stage IN ('first', 'waiting', 'rest')), since INTEGER NOT NULL
) STRICT;

CREATE TABLE canary_letter (             -- which those are
  issue INTEGER NOT NULL REFERENCES issue ON DELETE CASCADE,
  delivery INTEGER NOT NULL REFERENCES delivery ON DELETE CASCADE,
  PRIMARY KEY (issue, delivery)
) STRICT, WITHOUT ROWID;

ALTER TABLE run ADD COLUMN total INTEGER NOT NULL DEFAULT 0;      -- letters that could be sent when it began
ALTER TABLE run ADD COLUMN done INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN seen_at INTEGER;                        -- when done was true
"""
