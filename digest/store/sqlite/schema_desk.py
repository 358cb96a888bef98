"""What the desk's migration adds: its own log, calls to a webhook, corrections, what was put off in the pool."""

DESK = """
CREATE TABLE desk_log (                  -- append-only: roles, invitations, sign-ins; what an issue has is in edit
  id INTEGER PRIMARY KEY,
  at INTEGER NOT NULL, editor TEXT NOT NULL, act TEXT NOT NULL, detail TEXT NOT NULL      -- JSON object, no address
) STRICT;
CREATE TRIGGER desk_log_is_append_only BEFORE UPDATE ON desk_log
  BEGIN SELECT raise(ABORT, 'the log of the desk is append-only'); END;
CREATE TRIGGER desk_log_is_never_deleted BEFORE DELETE ON desk_log
  BEGIN SELECT raise(ABORT, 'the log of the desk is append-only'); END;

CREATE TABLE call (                      -- to the webhook, queued with the act that it tells of
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  kind TEXT NOT NULL, payload TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'failed')),
  attempts INTEGER NOT NULL DEFAULT 0, not_before INTEGER, queued_at INTEGER NOT NULL, changed_at INTEGER,
  code INTEGER, reply TEXT
) STRICT;
CREATE INDEX call_to_make ON call (state, id);

CREATE TABLE correction (                -- append-only: what the web page of an issue says it had wrong
  id INTEGER PRIMARY KEY,
  issue INTEGER NOT NULL REFERENCES issue,
  language TEXT NOT NULL, at INTEGER NOT NULL, editor TEXT NOT NULL, words TEXT NOT NULL
) STRICT;
CREATE INDEX correction_by_issue ON correction (issue, language, id);
CREATE TRIGGER correction_is_append_only BEFORE UPDATE ON correction
  BEGIN SELECT raise(ABORT, 'corrections are append-only'); END;
CREATE TRIGGER correction_is_never_deleted BEFORE DELETE ON correction
  BEGIN SELECT raise(ABORT, 'corrections are append-only'); END;

CREATE TABLE triage (                    -- an editor's word on an item of the pool: not before a day, or on top
  item INTEGER PRIMARY KEY REFERENCES item ON DELETE CASCADE,
  until INTEGER, pinned INTEGER NOT NULL DEFAULT 0, editor TEXT NOT NULL, at INTEGER NOT NULL
) STRICT;
"""
