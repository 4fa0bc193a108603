"""Questions about standing differences have left: count them and say when the next is due."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from journal.bulk import update_rows
from venues.domain.inquiring import pause_after
from venues.models import RecoveryDifference
from venues.selectors.recoveries import OpenDifference


def record_difference_asked(*, asked: Collection[OpenDifference], at: datetime) -> None:
    """They are asked for as long as they stand, ever more slowly."""
    rows = [(d.id, d.attempts + 1, at + pause_after(d.attempts + 1)) for d in asked]
    update_rows(RecoveryDifference, rows, key=("id",), fields=("attempts", "next_at"))
