"""Listener: a stop was pressed or released. It opens or ends the sweep; ``cancel_stopped`` works it in slices."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from journal.bulk import insert_rows, update_rows
from journal.domain.records import EventRecord
from orders.models import KillSweep

ENGAGED, RELEASED = "KillSwitchEngaged", "KillSwitchReleased"
_FIELDS = (
    "id", "scope", "scope_id", "name", "reason", "pressed_by", "pressed_by_id", "on_behalf_of", "engaged_at",
)  # fmt: skip


def handle(events: Sequence[EventRecord]) -> None:
    """Called in one transaction with the cursor, in order of position. The same event again changes nothing."""
    pressed = [event for event in events if event.kind == ENGAGED]
    insert_rows(KillSweep, [_row(event) for event in pressed], fields=_FIELDS, on_conflict="DO NOTHING")
    released = [(UUID(e.payload["stop_id"]), e.recorded_at) for e in events if e.kind == RELEASED]
    update_rows(KillSweep, released, key=("id",), fields=("ended_at",))


def _row(event: EventRecord) -> tuple[object, ...]:
    told = event.payload
    return (
        UUID(told["stop_id"]),
        told["scope"],
        told["scope_id"],
        told["name"],
        told["reason"],
        event.actor,
        told["pressed_by_id"],
        event.on_behalf_of,
        event.recorded_at,
    )
