"""What the sender's migration changes: lighter indexes under the ledger. Never edited once it shipped."""

SENDING = """
-- On its way a letter is claimed, committing, sent: three states in no index but the last one's doubt, so that a turn
-- of the sender writes as few pages as can be. What waits and what went wrong is found at once.
DROP INDEX delivery_to_claim;
CREATE INDEX delivery_queued ON delivery (issue, id) WHERE state = 'queued';
CREATE INDEX delivery_odd ON delivery (issue, state, id) WHERE state IN ('cancelled', 'deferred', 'failed', 'unsure');
"""
