"""Letters get numbers that are never used again: Message-IDs, bounces and logs name them. Never edited once it shipped."""

NUMBERS = """
CREATE TABLE delivery_numbered (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice, also when an approval is taken back: a Message-ID carries it
  issue INTEGER NOT NULL REFERENCES issue,
  subscriber INTEGER REFERENCES subscriber ON DELETE SET NULL,
  edition TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN
    ('queued', 'claimed', 'committing', 'sent', 'deferred', 'failed', 'cancelled', 'unsure')),
  run INTEGER, connection INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0, not_before INTEGER,
  code INTEGER, reply TEXT, changed_at INTEGER,
  UNIQUE (issue, subscriber)
) STRICT;
INSERT INTO delivery_numbered
  (id, issue, subscriber, edition, state, run, connection, attempts, not_before, code, reply, changed_at)
  SELECT id, issue, subscriber, edition, state, run, connection, attempts, not_before, code, reply, changed_at FROM delivery;
DROP TABLE delivery;
ALTER TABLE delivery_numbered RENAME TO delivery;
CREATE INDEX delivery_due ON delivery (issue, not_before) WHERE state = 'deferred';
CREATE INDEX delivery_by_subscriber ON delivery (subscriber);
CREATE UNIQUE INDEX one_doubt ON delivery (run, connection) WHERE state = 'committing';
CREATE INDEX delivery_queued ON delivery (issue, id) WHERE state = 'queued';
CREATE INDEX delivery_odd ON delivery (issue, state, id) WHERE state IN ('cancelled', 'deferred', 'failed', 'unsure');
"""
