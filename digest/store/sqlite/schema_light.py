"""Less to write for a sign-up, in four migrations: LIGHT, LIGHTER, LIGHTEST and FEWER. Never edited once they shipped."""

LIGHT = """
-- Most notices are about readers: an index of editors' need not hold a place for each of them.
DROP INDEX notice_by_editor;
CREATE INDEX notice_by_editor ON notice (editor, kind, queued_at) WHERE editor IS NOT NULL;
"""

LIGHTER = """
-- The six digits stand in the letter that carries them: one table, one page and one statement less for each who asks.
ALTER TABLE notice ADD COLUMN code_mark TEXT;                            -- their keyed hash; they live from queued_at on
ALTER TABLE notice ADD COLUMN code_tries INTEGER NOT NULL DEFAULT 0;
UPDATE notice SET code_mark = code.mark, code_tries = code.tries FROM code WHERE notice.id =
  (SELECT max(id) FROM notice AS n WHERE n.subscriber = code.subscriber AND n.kind = 'confirm');
DROP TABLE code;
"""

LIGHTEST = """
-- Hardly anybody is of a state that is looked for; who confirmed, and who only asked, need no place in an index for it.
DROP INDEX subscriber_by_state;
CREATE INDEX subscriber_by_state ON subscriber (state, id) WHERE state = 'waiting' OR state = 'left';

-- One number for scope and key: found, counted and told in a sixth of the time. What was counted in this hour begins anew.
CREATE TABLE knock (                     -- how often in an hour; keyed hashes of what, hours count from 1970
  id INTEGER PRIMARY KEY, hour INTEGER NOT NULL, count INTEGER NOT NULL
) STRICT;
DROP TABLE hit;
"""

FEWER = """
-- A used form is a knock that was heard once: counted in the same statement, gone with its hour. The last day begins anew.
DROP TABLE used_form;

-- New letters stand behind the last one that was taken, in the order of their numbers: only what was taken and has not left
-- needs an index to be found.
DROP INDEX notice_to_claim;
CREATE INDEX notice_under_way ON notice (id) WHERE attempts > 0 AND state IN ('queued', 'claimed');
INSERT INTO setting (name, value) VALUES ('notices taken', coalesce(
  (SELECT min(id) - 1 FROM notice WHERE attempts = 0 AND state = 'queued'), (SELECT max(id) FROM notice), 0));
"""
