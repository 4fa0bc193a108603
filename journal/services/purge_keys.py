"""Forget idempotency keys older than they must be kept, in slices."""

from __future__ import annotations

from datetime import datetime, timedelta

from journal.bulk import raw_cursor
from journal.domain.idempotency import KEPT_DAYS


def purge_keys(*, at: datetime, older_than_days: int = KEPT_DAYS, limit: int = 10_000) -> int:
    """Delete up to ``limit`` keys older than ``older_than_days`` (never fewer than 30). Returns how many went."""
    if older_than_days < KEPT_DAYS:
        raise ValueError(f"keys are kept at least {KEPT_DAYS} days")
    with raw_cursor() as cursor:
        cursor.execute(
            "DELETE FROM journal_idempotencykey WHERE id IN (SELECT id FROM journal_idempotencykey "
            "WHERE recorded_at < %s ORDER BY recorded_at LIMIT %s)",
            [at - timedelta(days=older_than_days), limit],
        )
        return cursor.rowcount
