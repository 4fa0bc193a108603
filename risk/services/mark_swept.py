"""Keep that the orders a restriction concerns were dealt with as it says."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from risk.locks import lock_restriction


def mark_swept(*, restriction_id: UUID, at: datetime) -> None:
    """In the caller's transaction; marked before, nothing changes."""
    row = lock_restriction(restriction_id)
    if row is not None and row.swept_at is None:
        row.swept_at = at
        row._history_date, row._change_reason = at, "swept"
        row.save(update_fields=["swept_at"])
