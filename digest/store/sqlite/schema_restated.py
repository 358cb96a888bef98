"""What sources say of items whose words an approved issue holds. Never edited once it shipped."""

RESTATED = """
CREATE TABLE restated (                  -- taken over when the issue is held; kept as it came until then
  item INTEGER PRIMARY KEY REFERENCES item ON DELETE CASCADE,
  stated TEXT NOT NULL CHECK (json_valid(stated)),  -- the columns of item that an update writes
  keys TEXT NOT NULL CHECK (json_valid(keys)),      -- identities
  at INTEGER NOT NULL
) STRICT;
"""
