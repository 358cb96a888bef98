"""What lets go of somebody's words in letters that were sent, while a setting says so. Never edited once it shipped."""

TAKEN_BACK = """
DROP TRIGGER edition_is_frozen;
CREATE TRIGGER edition_is_frozen BEFORE UPDATE ON edition
  WHEN NEW.issue <> OLD.issue OR NEW.key <> OLD.key OR NEW.subject <> OLD.subject
    OR (SELECT state FROM issue WHERE id = OLD.issue) <> 'sent'
    OR NOT EXISTS (SELECT 1 FROM setting WHERE name = 'words taken back' AND value = 'yes')
  BEGIN SELECT raise(ABORT, 'the letters of an issue are frozen'); END;

DROP TRIGGER issue_keeps_its_hash;
CREATE TRIGGER issue_keeps_its_hash BEFORE UPDATE OF hash ON issue
  WHEN NEW.hash IS NOT OLD.hash AND OLD.state <> 'draft' AND NEW.state <> 'draft'
    AND (OLD.state <> 'sent' OR NEW.state <> 'sent' OR NEW.hash IS NULL
      OR NOT EXISTS (SELECT 1 FROM setting WHERE name = 'words taken back' AND value = 'yes'))
  BEGIN SELECT raise(ABORT, 'the hash of an approved issue stays'); END;
"""

# The same while the rest of an issue is still to leave.
TAKEN_BACK_MEANWHILE = """
DROP TRIGGER edition_is_frozen;
CREATE TRIGGER edition_is_frozen BEFORE UPDATE ON edition
  WHEN NEW.issue <> OLD.issue OR NEW.key <> OLD.key OR NEW.subject <> OLD.subject
    OR (SELECT state FROM issue WHERE id = OLD.issue) NOT IN ('sending', 'paused', 'sent')
    OR NOT EXISTS (SELECT 1 FROM setting WHERE name = 'words taken back' AND value = 'yes')
  BEGIN SELECT raise(ABORT, 'the letters of an issue are frozen'); END;

DROP TRIGGER issue_keeps_its_hash;
CREATE TRIGGER issue_keeps_its_hash BEFORE UPDATE OF hash ON issue
  WHEN NEW.hash IS NOT OLD.hash AND OLD.state <> 'draft' AND NEW.state <> 'draft'
    AND (OLD.state NOT IN ('sending', 'paused', 'sent') OR NEW.state <> OLD.state OR NEW.hash IS NULL
      OR NOT EXISTS (SELECT 1 FROM setting WHERE name = 'words taken back' AND value = 'yes'))
  BEGIN SELECT raise(ABORT, 'the hash of an approved issue stays'); END;
"""
