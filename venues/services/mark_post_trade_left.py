"""Post-trade messages that the engine took are marked as having left: whatever has no mark is settled by evidence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from journal.bulk import update_rows
from venues.models import PostTradeIntent


def mark_post_trade_left(*, intent_ids: Sequence[int], at: datetime) -> None:
    """Idempotent, one statement."""
    if intent_ids:
        rows = [(intent_id, at) for intent_id in intent_ids]
        update_rows(PostTradeIntent, rows, key=("id",), fields=("left_at",))
