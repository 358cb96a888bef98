"""What letters in both languages, in a zone, and the archive need: keys, what was printed. Never edited once it shipped."""

EDITIONS = """
ALTER TABLE edition RENAME COLUMN language TO key;        -- en, fr+en, en@America/Vancouver
ALTER TABLE delivery RENAME COLUMN language TO edition;   -- that key
-- The few who read both languages or told their zone, so that approving need not look at everybody.
CREATE INDEX subscriber_reads ON subscriber (language, timezone)
  WHERE state = 'confirmed' AND (timezone IS NOT NULL OR language IN ('en+fr', 'fr+en'));
"""

VIEWS = """
ALTER TABLE edition ADD COLUMN view TEXT NOT NULL DEFAULT '';   -- JSON; personal: introductions, shown while they stand
"""
