"""The table of legal moves of an issue, held by the database itself: no route around it, whoever writes. Never edited once
it shipped; tests/test_store_moves.py holds it against rules/edition.py."""

MOVES = """
CREATE TRIGGER issue_begins_as_a_draft BEFORE INSERT ON issue WHEN NEW.state <> 'draft'
  BEGIN SELECT raise(ABORT, 'an issue begins as a draft'); END;

CREATE TRIGGER issue_goes_by_the_table BEFORE UPDATE OF state ON issue
  WHEN NEW.state <> OLD.state AND OLD.state || ' ' || NEW.state NOT IN (
    'draft approved', 'approved scheduled', 'approved draft', 'scheduled draft', 'sending draft', 'paused draft',
    'approved sending', 'scheduled sending', 'paused sending', 'sending paused', 'sending sent', 'sent sending',
    'approved paused', 'scheduled paused')
  BEGIN SELECT raise(ABORT, 'no such move of an issue'); END;

CREATE TRIGGER issue_is_approved_whole BEFORE UPDATE OF state ON issue
  WHEN NEW.state <> 'draft' AND (NEW.hash IS NULL OR NOT EXISTS (SELECT 1 FROM edition WHERE issue = NEW.id))
  BEGIN SELECT raise(ABORT, 'only frozen letters with their hash can be approved'); END;

CREATE TRIGGER issue_keeps_its_hash BEFORE UPDATE OF hash ON issue
  WHEN NEW.hash IS NOT OLD.hash AND OLD.state <> 'draft' AND NEW.state <> 'draft'
  BEGIN SELECT raise(ABORT, 'the hash of an approved issue stays'); END;

CREATE TRIGGER issue_that_left_is_no_draft BEFORE UPDATE OF state ON issue
  WHEN NEW.state = 'draft' AND OLD.state <> 'draft' AND EXISTS (
    SELECT 1 FROM delivery WHERE issue = NEW.id AND state IN ('sent', 'committing', 'unsure', 'failed'))
  BEGIN SELECT raise(ABORT, 'letters of this issue have left'); END;

CREATE TRIGGER issue_is_sent_when_all_is_done BEFORE UPDATE OF state ON issue
  WHEN NEW.state = 'sent' AND OLD.state <> 'sent' AND EXISTS (
    SELECT 1 FROM delivery WHERE issue = NEW.id AND state IN ('queued', 'claimed', 'committing', 'deferred'))
  BEGIN SELECT raise(ABORT, 'letters of this issue have still to leave'); END;

CREATE TRIGGER edition_is_made_of_a_draft BEFORE INSERT ON edition
  WHEN (SELECT state FROM issue WHERE id = NEW.issue) <> 'draft'
  BEGIN SELECT raise(ABORT, 'the letters of an approved issue are frozen'); END;
CREATE TRIGGER edition_is_frozen BEFORE UPDATE ON edition
  BEGIN SELECT raise(ABORT, 'the letters of an issue are frozen'); END;
CREATE TRIGGER edition_goes_with_the_approval BEFORE DELETE ON edition
  WHEN (SELECT state FROM issue WHERE id = OLD.issue) <> 'draft'
  BEGIN SELECT raise(ABORT, 'the letters of an approved issue are frozen'); END;

CREATE TRIGGER issue_item_is_added_to_a_draft BEFORE INSERT ON issue_item
  WHEN (SELECT state FROM issue WHERE id = NEW.issue) <> 'draft'
  BEGIN SELECT raise(ABORT, 'only a draft is edited'); END;
CREATE TRIGGER issue_item_is_changed_in_a_draft BEFORE UPDATE ON issue_item
  WHEN (SELECT state FROM issue WHERE id = OLD.issue) <> 'draft'
  BEGIN SELECT raise(ABORT, 'only a draft is edited'); END;
CREATE TRIGGER issue_item_leaves_a_draft BEFORE DELETE ON issue_item
  WHEN (SELECT state FROM issue WHERE id = OLD.issue) <> 'draft'
  BEGIN SELECT raise(ABORT, 'only a draft is edited'); END;
CREATE TRIGGER issue_text_is_added_to_a_draft BEFORE INSERT ON issue_text
  WHEN (SELECT state FROM issue WHERE id = NEW.issue) <> 'draft'
  BEGIN SELECT raise(ABORT, 'only a draft is edited'); END;
CREATE TRIGGER issue_text_is_changed_in_a_draft BEFORE UPDATE ON issue_text
  WHEN (SELECT state FROM issue WHERE id = OLD.issue) <> 'draft'
  BEGIN SELECT raise(ABORT, 'only a draft is edited'); END;
CREATE TRIGGER issue_text_leaves_a_draft BEFORE DELETE ON issue_text
  WHEN (SELECT state FROM issue WHERE id = OLD.issue) <> 'draft'
  BEGIN SELECT raise(ABORT, 'only a draft is edited'); END;
"""
