"""Pictures that approved letters show. Never edited once it shipped."""

LOGO = """
CREATE TABLE logo (                      -- kept for ever: a letter that was sent asks for its picture years later
  name TEXT PRIMARY KEY,                                       -- of its bytes, as it stands under /logo/
  kind TEXT NOT NULL CHECK (kind IN ('image/png', 'image/jpeg')),
  data BLOB NOT NULL
) STRICT;
"""
