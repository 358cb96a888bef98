"""The tables, as migrations: each runs once, in order, inside one IMMEDIATE transaction. Never edit one that shipped.

Times are INTEGER microseconds since 1970 in UTC (sortable, exact, half the size of text). Personal columns say so.
"""

from collections.abc import Callable

from sqlite_utils import Database, Migrations

from digest.store.sqlite.hints import number
from digest.store.sqlite.schema_desk import DESK
from digest.store.sqlite.schema_editions import EDITIONS, VIEWS
from digest.store.sqlite.schema_farewell import FAREWELL
from digest.store.sqlite.schema_hints import HINTS
from digest.store.sqlite.schema_letter import LETTER
from digest.store.sqlite.schema_light import FEWER, LIGHT, LIGHTER, LIGHTEST
from digest.store.sqlite.schema_logo import LOGO
from digest.store.sqlite.schema_moves import MOVES
from digest.store.sqlite.schema_numbers import NUMBERS
from digest.store.sqlite.schema_pace import PACE
from digest.store.sqlite.schema_passkeys import PASSKEYS
from digest.store.sqlite.schema_readers import CUTS, READERS, SUGGESTIONS, VOICES
from digest.store.sqlite.schema_restated import RESTATED
from digest.store.sqlite.schema_returns import RETURNS
from digest.store.sqlite.schema_sending import SENDING
from digest.store.sqlite.schema_sources import (
    LEFT_OUT,
    LENT,
    OF_EVENTS,
    PARTED,
    SOURCES,
    TURNED,
    TWINS,
    UNDATED,
)
from digest.store.sqlite.schema_taken_back import TAKEN_BACK, TAKEN_BACK_MEANWHILE
from digest.store.sqlite.schema_withdrawn import WITHDRAWN

MIGRATIONS = Migrations("digest")

_FIRST = """
CREATE TABLE setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;

CREATE TABLE source (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  url TEXT NOT NULL,
  kind TEXT NOT NULL,                      -- '' until the first visit has found it out
  section TEXT, language TEXT, timezone TEXT,
  configured INTEGER NOT NULL DEFAULT 1,   -- 0: no longer in config.toml, kept for its items
  paused INTEGER NOT NULL DEFAULT 0,
  etag TEXT, last_modified TEXT, parser TEXT,
  next_at INTEGER, fail_count INTEGER NOT NULL DEFAULT 0, failing_since INTEGER,
  last_visit_at INTEGER, last_ok_at INTEGER, last_error_kind TEXT, last_error TEXT
) STRICT;

CREATE TABLE visit (
  id INTEGER PRIMARY KEY,
  source INTEGER NOT NULL REFERENCES source ON DELETE CASCADE,
  at INTEGER NOT NULL,
  outcome TEXT NOT NULL CHECK (outcome IN ('new', 'unchanged', 'failed')),
  new INTEGER NOT NULL DEFAULT 0, updated INTEGER NOT NULL DEFAULT 0, seconds REAL NOT NULL,
  error_kind TEXT, error TEXT
) STRICT;
CREATE INDEX visit_by_source ON visit (source, at);

CREATE TABLE item (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL CHECK (kind IN ('post', 'event')),
  source INTEGER NOT NULL REFERENCES source,
  title TEXT NOT NULL, url TEXT, language TEXT,
  published INTEGER, updated INTEGER, first_seen INTEGER NOT NULL,
  author TEXT, summary TEXT NOT NULL, html TEXT NOT NULL, is_full INTEGER NOT NULL, minutes INTEGER,
  tags TEXT NOT NULL DEFAULT '[]', flags TEXT NOT NULL DEFAULT '[]',      -- JSON arrays of strings
  starts INTEGER, ends INTEGER, timezone TEXT, all_day INTEGER, place TEXT, online TEXT, status TEXT, uid TEXT,
  sequence INTEGER, recurs INTEGER,
  content_hash TEXT NOT NULL
) STRICT;
CREATE INDEX item_by_starts ON item (starts) WHERE kind = 'event';
CREATE INDEX item_by_published ON item (published) WHERE kind = 'post';

CREATE TABLE item_key (key TEXT PRIMARY KEY, item INTEGER NOT NULL REFERENCES item ON DELETE CASCADE) STRICT, WITHOUT ROWID;
CREATE INDEX item_key_by_item ON item_key (item);

CREATE TABLE item_source (               -- every source an item was seen at ("also in")
  item INTEGER NOT NULL REFERENCES item ON DELETE CASCADE,
  source INTEGER NOT NULL REFERENCES source ON DELETE CASCADE,
  url TEXT, first_seen INTEGER NOT NULL,
  PRIMARY KEY (item, source)
) STRICT, WITHOUT ROWID;

CREATE TABLE issue (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  period TEXT NOT NULL UNIQUE,           -- one issue a month, whoever assembles, however often
  number INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('draft', 'approved', 'scheduled', 'sending', 'paused', 'sent')),
  since INTEGER NOT NULL, until INTEGER NOT NULL, send_at INTEGER NOT NULL,
  revision INTEGER NOT NULL DEFAULT 0,   -- raised by every edit; an editor's form names the one it saw
  approved_at INTEGER, approved_by TEXT, sending_since INTEGER, sent_at INTEGER, pause_reason TEXT, hash TEXT
) STRICT;

CREATE TABLE issue_item (
  issue INTEGER NOT NULL REFERENCES issue ON DELETE CASCADE,
  item INTEGER NOT NULL REFERENCES item,
  section TEXT,                          -- NULL: on the bench
  position INTEGER NOT NULL,
  title TEXT NOT NULL DEFAULT '{}', blurb TEXT NOT NULL DEFAULT '{}',     -- JSON objects, language to words
  chosen INTEGER NOT NULL DEFAULT 0, arrived_late INTEGER NOT NULL DEFAULT 0,
  seen_hash TEXT NOT NULL,               -- the item's content_hash when it was placed
  PRIMARY KEY (issue, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX issue_item_by_item ON issue_item (item);

CREATE TABLE issue_text (
  issue INTEGER NOT NULL REFERENCES issue ON DELETE CASCADE,
  field TEXT NOT NULL, language TEXT NOT NULL, words TEXT NOT NULL,
  PRIMARY KEY (issue, field, language)
) STRICT, WITHOUT ROWID;

CREATE TABLE edit (                      -- append-only: who did what to an issue, with what it takes to undo it
  id INTEGER PRIMARY KEY,
  issue INTEGER NOT NULL REFERENCES issue,
  at INTEGER NOT NULL, editor TEXT NOT NULL, act TEXT NOT NULL, detail TEXT NOT NULL      -- JSON object
) STRICT;
CREATE INDEX edit_by_issue ON edit (issue, id);
CREATE TRIGGER edit_is_append_only BEFORE UPDATE ON edit BEGIN SELECT raise(ABORT, 'the log of edits is append-only'); END;
CREATE TRIGGER edit_is_never_deleted BEFORE DELETE ON edit BEGIN SELECT raise(ABORT, 'the log of edits is append-only'); END;

CREATE TABLE edition (
  issue INTEGER NOT NULL REFERENCES issue ON DELETE CASCADE,
  language TEXT NOT NULL,
  subject TEXT NOT NULL, html TEXT NOT NULL, text TEXT NOT NULL, letter BLOB NOT NULL, sha256 TEXT NOT NULL,
  PRIMARY KEY (issue, language)
) STRICT;

CREATE TABLE subscriber (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: links in old letters carry it
  address TEXT NOT NULL,                 -- personal
  address_key TEXT NOT NULL UNIQUE,      -- personal: the case-folded form
  state TEXT NOT NULL CHECK (state IN ('asked', 'waiting', 'confirmed', 'suspended', 'left')),
  language TEXT NOT NULL, timezone TEXT, role TEXT, topics TEXT NOT NULL DEFAULT '[]',
  version INTEGER NOT NULL DEFAULT 0,
  asked_at INTEGER, confirmed_at INTEGER, left_at INTEGER
) STRICT;
CREATE INDEX subscriber_by_state ON subscriber (state, id);

CREATE TABLE consent (                   -- append-only: the proof
  id INTEGER PRIMARY KEY,
  subscriber INTEGER REFERENCES subscriber ON DELETE SET NULL,
  at INTEGER NOT NULL, act TEXT NOT NULL, language TEXT NOT NULL, method TEXT NOT NULL, page TEXT NOT NULL,
  wording TEXT NOT NULL, wording_sha256 TEXT NOT NULL, basis TEXT NOT NULL, origin TEXT NOT NULL,
  network TEXT                           -- personal: shortened network address
) STRICT;
CREATE INDEX consent_by_subscriber ON consent (subscriber, id);
CREATE TRIGGER consent_is_append_only BEFORE UPDATE OF at, act, language, method, page, wording, wording_sha256, basis, origin
  ON consent BEGIN SELECT raise(ABORT, 'the consent log is append-only'); END;
CREATE TRIGGER consent_is_never_deleted BEFORE DELETE ON consent
  BEGIN SELECT raise(ABORT, 'the consent log is append-only'); END;

CREATE TABLE suppression (               -- keyed hashes of addresses that no import may bring back
  mark TEXT PRIMARY KEY, reason TEXT NOT NULL, at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE delivery (
  id INTEGER PRIMARY KEY,
  issue INTEGER NOT NULL REFERENCES issue,
  subscriber INTEGER REFERENCES subscriber ON DELETE SET NULL,
  language TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN
    ('queued', 'claimed', 'committing', 'sent', 'deferred', 'failed', 'cancelled', 'unsure')),
  run INTEGER, connection INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0, not_before INTEGER,
  code INTEGER, reply TEXT, changed_at INTEGER,
  UNIQUE (issue, subscriber)
) STRICT;
CREATE INDEX delivery_to_claim ON delivery (issue, state, id);
CREATE INDEX delivery_due ON delivery (issue, not_before) WHERE state = 'deferred';
CREATE INDEX delivery_by_subscriber ON delivery (subscriber);
CREATE UNIQUE INDEX one_doubt ON delivery (run, connection) WHERE state = 'committing';

CREATE TABLE run (                       -- one sending process at work on one issue; its lease is its life
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  issue INTEGER NOT NULL REFERENCES issue,
  begun_at INTEGER NOT NULL, lease_until INTEGER NOT NULL, ended_at INTEGER
) STRICT;

CREATE TABLE notice (                    -- one-off letters, queued with the act that needs them
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL,
  subscriber INTEGER REFERENCES subscriber ON DELETE CASCADE,
  editor INTEGER REFERENCES editor ON DELETE CASCADE,
  version INTEGER NOT NULL DEFAULT 0,
  language TEXT NOT NULL,
  secret TEXT,                           -- cleared once the letter has left
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'claimed', 'sent', 'failed')),
  lease_until INTEGER, attempts INTEGER NOT NULL DEFAULT 0, not_before INTEGER,
  queued_at INTEGER NOT NULL, changed_at INTEGER, code INTEGER, reply TEXT
) STRICT;
CREATE INDEX notice_to_claim ON notice (state, id);
CREATE INDEX notice_by_subscriber ON notice (subscriber, kind, queued_at);
CREATE INDEX notice_by_editor ON notice (editor, kind, queued_at);

CREATE TABLE editor (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  address TEXT NOT NULL,                 -- personal
  address_key TEXT NOT NULL UNIQUE,      -- personal
  role TEXT NOT NULL, language TEXT NOT NULL DEFAULT 'en',
  configured INTEGER NOT NULL DEFAULT 0  -- 1: stands in config.toml
) STRICT;

CREATE TABLE pass (                      -- sign-in links and sessions of editors; only hashes of the secrets
  secret_sha256 TEXT PRIMARY KEY,
  editor INTEGER NOT NULL REFERENCES editor ON DELETE CASCADE,
  purpose TEXT NOT NULL CHECK (purpose IN ('sign-in', 'session')),
  made_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE lease (name TEXT PRIMARY KEY, owner TEXT NOT NULL, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE tick (                      -- what the metronome has done: one row per act and due time, never twice
  act TEXT NOT NULL, due TEXT NOT NULL, at INTEGER NOT NULL, outcome TEXT NOT NULL,
  PRIMARY KEY (act, due)
) STRICT, WITHOUT ROWID;
"""


@MIGRATIONS(name="0001_first")
def _first(db: Database) -> None:
    for statement in _statements(_FIRST):
        db.conn.execute(statement)


@MIGRATIONS(name="0002_readers")
def _readers(db: Database) -> None:
    for statement in _statements(READERS):
        db.conn.execute(statement)


@MIGRATIONS(name="0003_letter")
def _letter(db: Database) -> None:
    for statement in _statements(LETTER):
        db.conn.execute(statement)


@MIGRATIONS(name="0004_sending")
def _sending(db: Database) -> None:
    for statement in _statements(SENDING):
        db.conn.execute(statement)


@MIGRATIONS(name="0005_suggestions")
def _suggestions(db: Database) -> None:
    for statement in _statements(SUGGESTIONS):
        db.conn.execute(statement)


@MIGRATIONS(name="0006_sources")
def _sources(db: Database) -> None:
    for statement in _statements(SOURCES):
        db.conn.execute(statement)


@MIGRATIONS(name="0007_voices")
def _voices(db: Database) -> None:
    for statement in _statements(VOICES):
        db.conn.execute(statement)


@MIGRATIONS(name="0008_pace")
def _pace(db: Database) -> None:
    for statement in _statements(PACE):
        db.conn.execute(statement)


@MIGRATIONS(name="0009_twins")
def _twins(db: Database) -> None:
    for statement in _statements(TWINS):
        db.conn.execute(statement)


@MIGRATIONS(name="0010_desk")
def _desk(db: Database) -> None:
    for statement in _statements(DESK):
        db.conn.execute(statement)


@MIGRATIONS(name="0011_editions")
def _editions(db: Database) -> None:
    for statement in _statements(EDITIONS):
        db.conn.execute(statement)


@MIGRATIONS(name="0012_left_out")
def _left_out(db: Database) -> None:
    for statement in _statements(LEFT_OUT):
        db.conn.execute(statement)


@MIGRATIONS(name="0013_cuts")
def _cuts(db: Database) -> None:
    for statement in _statements(CUTS):
        db.conn.execute(statement)


@MIGRATIONS(name="0014_light")
def _light(db: Database) -> None:
    for statement in _statements(LIGHT):
        db.conn.execute(statement)


@MIGRATIONS(name="0015_views")
def _views(db: Database) -> None:
    for statement in _statements(VIEWS):
        db.conn.execute(statement)


@MIGRATIONS(name="0016_returns")
def _returns(db: Database) -> None:
    for statement in _statements(RETURNS):
        db.conn.execute(statement)


@MIGRATIONS(name="0017_passkeys")
def _passkeys(db: Database) -> None:
    for statement in _statements(PASSKEYS):
        db.conn.execute(statement)


@MIGRATIONS(name="0018_moves")
def _moves(db: Database) -> None:
    for statement in _statements(MOVES):
        db.conn.execute(statement)


@MIGRATIONS(name="0019_numbers")
def _numbers(db: Database) -> None:
    # Triggers on other tables read this one: for the moment in which it is not there they are left unread.
    db.conn.execute("PRAGMA legacy_alter_table = ON")
    try:
        for statement in _statements(NUMBERS):
            db.conn.execute(statement)
    finally:
        db.conn.execute("PRAGMA legacy_alter_table = OFF")


def _runs(script: str) -> Callable[[Database], None]:
    def migrate(db: Database) -> None:
        for statement in _statements(script):
            db.conn.execute(statement)

    return migrate


for _name, _script in (
    ("0020_parted", PARTED),
    ("0021_lighter", LIGHTER),
    ("0022_logo", LOGO),
    ("0023_withdrawn", WITHDRAWN),
    ("0024_restated", RESTATED),
    ("0025_taken_back", TAKEN_BACK),
    ("0026_lightest", LIGHTEST),
    ("0027_of_events", OF_EVENTS),
    ("0028_undated", UNDATED),
    ("0029_farewell", FAREWELL),
    ("0030_fewer", FEWER),
    ("0031_turned", TURNED),
    ("0032_taken_back_meanwhile", TAKEN_BACK_MEANWHILE),
    ("0033_lent", LENT),
):
    MIGRATIONS(name=_name)(_runs(_script))


@MIGRATIONS(name="0031_hints")
def _hints(db: Database) -> None:
    db.conn.create_function("hint_number", 1, number)
    for statement in _statements(HINTS):
        db.conn.execute(statement)


def _statements(script: str) -> list[str]:
    """Splits at semicolons that end a line; executescript() would commit the transaction we stand in."""
    found: list[str] = []
    lines: list[str] = []
    for line in script.splitlines():
        lines.append(line)
        bare = line.split("--")[0].rstrip()
        in_trigger = any("CREATE TRIGGER" in kept for kept in lines) and not bare.endswith("END;")
        if bare.endswith(";") and not in_trigger:
            found.append("\n".join(lines))
            lines = []
    return found
