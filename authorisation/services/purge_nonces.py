"""Forget nonces whose signatures would no longer be taken, in slices."""

from __future__ import annotations

from datetime import datetime, timedelta

from authorisation.domain.signing import WINDOW_S
from journal.bulk import raw_cursor

KEPT = timedelta(seconds=2 * WINDOW_S + 60)
"""A request may be stamped up to a window ahead of our clock and come up to a window later; a minute for clocks of ours."""


def purge_nonces(*, at: datetime, limit: int = 20_000) -> int:
    """Delete up to ``limit`` of them, the oldest first. Returns how many went."""
    with raw_cursor() as cursor:
        cursor.execute(
            "DELETE FROM authorisation_keynonce WHERE id IN (SELECT id FROM authorisation_keynonce "
            "WHERE seen_at < %s ORDER BY seen_at LIMIT %s)",
            [at - KEPT, limit],
        )
        return cursor.rowcount
