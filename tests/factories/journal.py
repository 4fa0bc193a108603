"""Events to write in tests."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from journal.domain.chain import EventDraft
from kernel.ids import new_id

AT = datetime(2026, 11, 20, 9, 30, 0, 123456, tzinfo=UTC)
CORRELATION = UUID("0193f0a0-0000-7000-8000-000000000001")


def draft(stream: str = "order:1", kind: str = "OrderCaptured", **changes: Any) -> EventDraft:
    """A valid draft; any field can be given."""
    values: dict[str, Any] = {
        "id": new_id(),
        "stream": stream,
        "kind": kind,
        "actor": "user:1",
        "correlation_id": CORRELATION,
        "event_at": AT,
        "received_at": AT,
        "business_date": date(2026, 11, 20),
        "payload": {"order_qty": "100"},
    }
    return EventDraft(**{**values, **changes})
