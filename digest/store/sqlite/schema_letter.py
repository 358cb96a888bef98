"""What the letter's migration adds: warnings that somebody accepts, and what was seen outside. Never edited once it shipped."""

LETTER = """
CREATE TABLE accepted (                  -- an editor's word that a warning may stand; mark: of the faults they saw
  issue INTEGER NOT NULL REFERENCES issue ON DELETE CASCADE,
  rule TEXT NOT NULL,
  mark TEXT NOT NULL, why TEXT NOT NULL, editor TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (issue, rule)
) STRICT, WITHOUT ROWID;

CREATE TABLE look (                      -- links, spam scores, DNS records: the last look at each
  kind TEXT NOT NULL, key TEXT NOT NULL, at INTEGER NOT NULL, value TEXT NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
"""
