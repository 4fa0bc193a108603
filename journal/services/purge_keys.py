"""Forget idempotency keys older than they must be kept, in slices."""

from __future__ import annotations

from datetime import datetime, timedelta

from journal.bulk import raw_cursor
from journal.selectors.retention import kept_days


def purge_keys(*, at: datetime, older_than_days: int | None = None, limit: int = 10_000) -> int:
    """Delete up to ``limit`` keys older than ``older_than_days`` (never fewer than the rule says, which holds when None).

    Returns how many went.
    """
    ruling = kept_days("idempotency_keys", at=at)
    older_than_days = ruling if older_than_days is None else older_than_days
    if older_than_days < ruling:
        raise ValueError(f"keys are kept at least {ruling} days")
    with raw_cursor() as cursor:
        cursor.execute(
            "DELETE FROM journal_idempotencykey WHERE id IN (SELECT id FROM journal_idempotencykey "
            "WHERE recorded_at < %s ORDER BY recorded_at LIMIT %s)",
            [at - timedelta(days=older_than_days), limit],
        )
        return cursor.rowcount
