"""What came back of letters that had left. Never edited once it shipped."""

RETURNS = """
CREATE TABLE returned (                  -- what came back of a letter: the gravest report counts, once
  delivery INTEGER PRIMARY KEY REFERENCES delivery ON DELETE CASCADE,
  issue INTEGER NOT NULL REFERENCES issue ON DELETE CASCADE,
  verdict TEXT NOT NULL CHECK (verdict IN ('ours', 'soft', 'hard', 'complaint')),
  status TEXT NOT NULL,
  words TEXT NOT NULL,                   -- personal: of the other mail server, addresses taken out
  at INTEGER NOT NULL
) STRICT;
CREATE INDEX returned_by_issue ON returned (issue, verdict);
"""
