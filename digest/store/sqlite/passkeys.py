"""Passkeys of editors and the challenges they answer. Only public keys and hashes are here; nothing is judged."""

import sqlite3
from datetime import datetime

from digest.model import EditorId, Passkey, PasskeyId
from digest.store.sqlite.columns import micros, moment
from digest.store.sqlite.connection import Connections


class Passkeys:
    """`store.passkeys`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def of(self, editor: EditorId) -> list[Passkey]:
        """The newest first."""
        rows = self._db.rows(
            "SELECT * FROM passkey WHERE editor = :editor ORDER BY id DESC", {"editor": editor}
        )
        return [_passkey(row) for row in rows]

    def find(self, credential: bytes) -> Passkey | None:
        row = self._db.row("SELECT * FROM passkey WHERE credential = :credential", {"credential": credential})
        return None if row is None else _passkey(row)

    def is_empty(self) -> bool:
        """Whether nobody has one."""
        return self._db.row("SELECT 1 FROM passkey LIMIT 1") is None

    def add(self, key: Passkey) -> bool:
        """False when this credential is known already. The id of `key` is not looked at."""
        return (
            self._db.change(
                """INSERT INTO passkey (editor, credential, public_key, handle, sign_count, name, added_at)
                   VALUES (:editor, :credential, :public_key, :handle, :sign_count, :name, :added_at)
                   ON CONFLICT (credential) DO NOTHING""",
                {
                    "editor": key.editor,
                    "credential": key.credential,
                    "public_key": key.public_key,
                    "handle": key.handle,
                    "sign_count": key.sign_count,
                    "name": key.name,
                    "added_at": micros(key.added_at),
                },
            )
            == 1
        )

    def used(self, key: Passkey, *, sign_count: int, now: datetime) -> bool:
        """Notes that it signed. False when it was used or removed since `key` was read."""
        return (
            self._db.change(
                """UPDATE passkey SET sign_count = :count, used_at = :now
                   WHERE id = :id AND sign_count = :was AND used_at IS :seen""",
                {
                    "id": key.id,
                    "count": sign_count,
                    "was": key.sign_count,
                    "seen": micros(key.used_at),
                    "now": micros(now),
                },
            )
            == 1
        )

    def remove(self, number: PasskeyId, *, editor: EditorId) -> str | None:
        """The name of the one that is gone; None when this editor has none of that number."""
        rows = self._db.changed(
            "DELETE FROM passkey WHERE id = :id AND editor = :editor RETURNING name",
            {"id": number, "editor": editor},
        )
        return str(rows[0]["name"]) if rows else None

    def remove_all(self, editor: EditorId) -> int:
        """How many there were."""
        return self._db.change("DELETE FROM passkey WHERE editor = :editor", {"editor": editor})

    def ask(
        self, sha256: str, *, editor: EditorId | None, handle: bytes, now: datetime, expires_at: datetime
    ) -> int:
        """Keeps a challenge, by its hash; how many strangers' stand open then. Those that are over go."""
        self._db.change("DELETE FROM challenge WHERE expires_at <= :now", {"now": micros(now)})
        self._db.change(
            "INSERT INTO challenge (sha256, editor, handle, expires_at) VALUES (:sha256, :editor, :handle, :expires)",
            {"sha256": sha256, "editor": editor, "handle": handle, "expires": micros(expires_at)},
        )
        return int(self._db.value("SELECT count(*) FROM challenge WHERE editor IS NULL"))

    def answer(self, sha256: str, *, editor: EditorId | None, now: datetime) -> bytes | None:
        """Uses up a challenge, whoever answers it. Its handle; None unless it was asked of just this editor (None: of a
        stranger) and is not over."""
        rows = self._db.changed(
            "DELETE FROM challenge WHERE sha256 = :sha256 RETURNING editor, handle, expires_at",
            {"sha256": sha256},
        )
        fits = bool(rows) and rows[0]["editor"] == editor and rows[0]["expires_at"] > micros(now)
        return bytes(rows[0]["handle"]) if fits else None


def _passkey(row: sqlite3.Row) -> Passkey:
    return Passkey(
        id=PasskeyId(row["id"]),
        editor=EditorId(row["editor"]),
        credential=row["credential"],
        public_key=row["public_key"],
        handle=row["handle"],
        sign_count=row["sign_count"],
        name=row["name"],
        added_at=moment(row["added_at"]),
        used_at=moment(row["used_at"]),
    )
