"""Hints in a table of their own, by numbers: HINTS, a migration. Never edited once it has shipped."""

HINTS = """
CREATE TABLE hint (                      -- a mark of a title or of some words, and the first item that bore it
  mark INTEGER PRIMARY KEY, item INTEGER NOT NULL REFERENCES item ON DELETE CASCADE
) STRICT;
INSERT INTO hint (mark, item) SELECT hint_number(key), item FROM item_key
  WHERE key GLOB 'title:*' OR key GLOB 'words:*' ORDER BY item ON CONFLICT (mark) DO NOTHING;
DELETE FROM item_key WHERE key GLOB 'title:*' OR key GLOB 'words:*';
DROP INDEX item_key_by_item;             -- an item is never asked for its keys
"""
