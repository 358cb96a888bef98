"""First letters of an issue that was taken back to be mended: they have left. Never edited once it shipped."""

WITHDRAWN = """
CREATE TABLE withdrawn (                 -- rows of delivery, moved here: the issue is approved anew, with letters of new numbers
  delivery INTEGER PRIMARY KEY,          -- its number, which bounces, complaints and logs name
  issue INTEGER NOT NULL REFERENCES issue ON DELETE CASCADE,
  subscriber INTEGER REFERENCES subscriber ON DELETE SET NULL,
  state TEXT NOT NULL CHECK (state IN ('sent', 'failed', 'unsure')),
  sha256 TEXT NOT NULL,                  -- of the letter: nobody gets the same one twice
  at INTEGER NOT NULL                    -- when it left
) STRICT;
CREATE INDEX withdrawn_by_subscriber ON withdrawn (subscriber);
CREATE INDEX withdrawn_by_issue ON withdrawn (issue);
"""
