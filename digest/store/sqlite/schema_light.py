"""Lighter indexes under what a sign-up writes. Never edited once it shipped."""

LIGHT = """
-- Most notices are about readers: an index of editors' need not hold a place for each of them.
DROP INDEX notice_by_editor;
CREATE INDEX notice_by_editor ON notice (editor, kind, queued_at) WHERE editor IS NOT NULL;
"""
