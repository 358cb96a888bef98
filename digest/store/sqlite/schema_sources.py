"""What the sixth migration adds: sources that editors added, moved addresses, possible gaps, how often an item changed."""

SOURCES = """
ALTER TABLE source ADD COLUMN added INTEGER NOT NULL DEFAULT 0;    -- 1: by command or at the desk, not in config.toml
ALTER TABLE source ADD COLUMN moved_to TEXT;                       -- where permanent redirects lead
ALTER TABLE source ADD COLUMN moved_since INTEGER;
ALTER TABLE source ADD COLUMN moved_count INTEGER NOT NULL DEFAULT 0;
ALTER TABLE source ADD COLUMN gap_at INTEGER;                      -- when a visit knew nothing of what it found
ALTER TABLE item ADD COLUMN changes INTEGER NOT NULL DEFAULT 0;
"""
