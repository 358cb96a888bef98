"""What the second way to sign in needs: keys, challenges, how a session began. Never edited once it shipped."""

PASSKEYS = """
CREATE TABLE passkey (                   -- an editor's; only public keys, the private ones never leave their devices
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  editor INTEGER NOT NULL REFERENCES editor ON DELETE CASCADE,
  credential BLOB NOT NULL UNIQUE, public_key BLOB NOT NULL,
  handle BLOB NOT NULL,                  -- random, one an editor: what their devices know them by
  sign_count INTEGER NOT NULL, name TEXT NOT NULL, added_at INTEGER NOT NULL, used_at INTEGER
) STRICT;
CREATE INDEX passkey_by_editor ON passkey (editor, id);

CREATE TABLE challenge (                 -- what a device is asked to sign; the first answer uses it up
  sha256 TEXT PRIMARY KEY,
  editor INTEGER REFERENCES editor ON DELETE CASCADE,       -- who adds a key; NULL: somebody signs in
  handle BLOB NOT NULL, expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE pass ADD COLUMN way TEXT NOT NULL DEFAULT 'link';   -- link, passkey
"""
