"""Editors and their passes. Only hashes of the secrets are here; a sign-in link opens once."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from digest.config import EditorPart
from digest.errors import NotFound
from digest.model import Address, Editor, EditorId, Language, Role, Session
from digest.rules.tokens import mark_of
from digest.store.sqlite.columns import listed, micros, moment
from digest.store.sqlite.connection import Connections


class Editors:
    """`store.editors`."""

    def __init__(self, db: Connections) -> None:
        self._db = db

    def sync(self, parts: Sequence[EditorPart]) -> None:
        """Makes the table say what config.toml says. One no longer named there loses the desk, sessions and all; those
        invited by command stay."""
        for part in parts:
            address = Address(part.address)
            self._db.change(
                """INSERT INTO editor (address, address_key, role, language, configured)
                   VALUES (:address, :key, :role, :language, 1)
                   ON CONFLICT (address_key) DO UPDATE SET
                     address = excluded.address, role = excluded.role, language = excluded.language, configured = 1""",
                {
                    "address": address.reveal(),
                    "key": address.key,
                    "role": part.role,
                    "language": part.language.value,
                },
            )
        self._db.change(
            "DELETE FROM editor WHERE configured = 1 AND address_key NOT IN (SELECT value FROM json_each(:keys))",
            {"keys": listed([Address(part.address).key for part in parts])},
        )

    def add(self, address: Address, *, role: Role, language: Language) -> Editor:
        """Raises StoreError when this address is an editor's already: find() first."""
        editor_id = self._db.insert(
            "INSERT INTO editor (address, address_key, role, language) VALUES (:address, :key, :role, :language)",
            {"address": address.reveal(), "key": address.key, "role": role.value, "language": language.value},
        )
        return Editor(id=EditorId(editor_id), address=address, role=role, language=language)

    def find(self, address: Address) -> Editor | None:
        row = self._db.row("SELECT * FROM editor WHERE address_key = :key", {"key": address.key})
        return None if row is None else _editor(row)

    def get(self, editor_id: EditorId) -> Editor:
        """Raises NotFound."""
        row = self._db.row("SELECT * FROM editor WHERE id = :id", {"id": editor_id})
        if row is None:
            raise NotFound(f"There is no editor number {editor_id} (any more).")
        return _editor(row)

    def all(self) -> list[Editor]:
        return [_editor(row) for row in self._db.rows("SELECT * FROM editor ORDER BY id")]

    def configured(self) -> set[EditorId]:
        """Those who stand in config.toml: their role is said there."""
        return {EditorId(row["id"]) for row in self._db.rows("SELECT id FROM editor WHERE configured = 1")}

    def set_role(self, editor_id: EditorId, role: Role) -> bool:
        """False for one who stands in config.toml, or is none any more."""
        return (
            self._db.change(
                "UPDATE editor SET role = :role WHERE id = :id AND configured = 0",
                {"id": editor_id, "role": role.value},
            )
            == 1
        )

    def revoke_all(self, editor_id: EditorId) -> int:
        """Ends all sessions of an editor and takes every sign-in link back; how many there were."""
        return self._db.change("DELETE FROM pass WHERE editor = :id", {"id": editor_id})

    def give_pass(
        self,
        secret_sha256: str,
        *,
        editor: EditorId,
        purpose: Literal["sign-in", "session"],
        now: datetime,
        expires_at: datetime,
        way: Literal["link", "passkey"] = "link",
    ) -> None:
        """Passes that are over go at the same time."""
        self._db.change("DELETE FROM pass WHERE expires_at <= :now", {"now": micros(now)})
        self._db.change(
            """INSERT INTO pass (secret_sha256, editor, purpose, way, made_at, expires_at)
               VALUES (:secret, :editor, :purpose, :way, :now, :expires_at)""",
            {
                "secret": secret_sha256,
                "editor": editor,
                "purpose": purpose,
                "way": way,
                "now": micros(now),
                "expires_at": micros(expires_at),
            },
        )

    def redeem(self, secret_sha256: str, *, now: datetime) -> Editor | None:
        """Uses up a sign-in pass: of two who try at once, one gets the editor. None: unknown, used or over."""
        used = self._db.changed(
            """UPDATE pass SET used_at = :now
               WHERE secret_sha256 = :secret AND purpose = 'sign-in' AND used_at IS NULL AND expires_at > :now
               RETURNING editor""",
            {"secret": secret_sha256, "now": micros(now)},
        )
        return self.get(EditorId(used[0]["editor"])) if used else None

    def session(self, secret_sha256: str, *, now: datetime) -> Editor | None:
        """Whose session this is, while it lasts."""
        row = self._db.row(
            """SELECT editor.* FROM pass JOIN editor ON editor.id = pass.editor
               WHERE secret_sha256 = :secret AND purpose = 'session' AND expires_at > :now""",
            {"secret": secret_sha256, "now": micros(now)},
        )
        return None if row is None else _editor(row)

    def sessions(self, editor_id: EditorId, *, now: datetime) -> list[Session]:
        """Those that last still, the newest first."""
        rows = self._db.rows(
            """SELECT secret_sha256, way, made_at, expires_at FROM pass
               WHERE editor = :editor AND purpose = 'session' AND expires_at > :now ORDER BY made_at DESC, secret_sha256""",
            {"editor": editor_id, "now": micros(now)},
        )
        return [
            Session(
                mark=mark_of(row["secret_sha256"]),
                way=row["way"],
                begun_at=moment(row["made_at"]),
                ends_at=moment(row["expires_at"]),
            )
            for row in rows
        ]

    def end_session(self, mark: str, *, editor: EditorId) -> bool:
        """False when this editor has no such session (any more)."""
        rows = self._db.rows(
            "SELECT secret_sha256 FROM pass WHERE editor = :editor AND purpose = 'session'",
            {"editor": editor},
        )
        found = [row["secret_sha256"] for row in rows if mark_of(row["secret_sha256"]) == mark]
        for secret in found:
            self.revoke(secret)
        return bool(found)

    def end_others(self, secret_sha256: str, *, editor: EditorId) -> int:
        """Ends all sessions of an editor but this one, and takes her unused links back; how many there were."""
        return self._db.change(
            "DELETE FROM pass WHERE editor = :editor AND secret_sha256 <> :secret AND used_at IS NULL",
            {"editor": editor, "secret": secret_sha256},
        )

    def remove(self, editor_id: EditorId) -> bool:
        """With sessions, links and passkeys. False for one who stands in config.toml, or is none any more."""
        return self._db.change("DELETE FROM editor WHERE id = :id AND configured = 0", {"id": editor_id}) == 1

    def revoke(self, secret_sha256: str) -> None:
        """Ends a session, or takes a sign-in link back."""
        self._db.change("DELETE FROM pass WHERE secret_sha256 = :secret", {"secret": secret_sha256})


def _editor(row: sqlite3.Row) -> Editor:
    return Editor(
        id=EditorId(row["id"]),
        address=Address(row["address"]),
        role=Role(row["role"]),
        language=Language(row["language"]),
    )
