"""The one way into the queue of an endpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from journal.bulk import insert_rows
from outbound.models import HeldDelivery

_FIELDS = (
    "subscription_id", "position", "event_id", "stream", "kind", "state", "replayed", "attempts", "first_failed_at",
    "due_at", "last_error", "held_at",
)  # fmt: skip
AGAIN = (
    "(subscription_id, event_id) DO UPDATE SET state = excluded.state, attempts = excluded.attempts, "
    "first_failed_at = excluded.first_failed_at, due_at = excluded.due_at, last_error = excluded.last_error"
)
ANEW = (
    "(subscription_id, event_id) DO UPDATE SET state = excluded.state, replayed = true, attempts = 0, "
    "first_failed_at = NULL, due_at = excluded.due_at"
)


@dataclass(frozen=True, slots=True)
class Held:
    """An event to be held: why and since when it fails, and when it is due."""

    position: int
    event_id: UUID
    stream: str
    kind: str
    due_at: datetime
    attempts: int = 0
    first_failed_at: datetime | None = None
    error: str = ""
    dead: bool = False
    replayed: bool = False


def hold(subscription_id: UUID, rows: Sequence[Held], *, at: datetime, if_held: str) -> None:
    """Write them; what is held already becomes what ``if_held`` says (``AGAIN`` or ``ANEW``)."""
    dead, waiting = HeldDelivery.State.DEAD.value, HeldDelivery.State.WAITING.value
    values = [
        (
            subscription_id, one.position, one.event_id, one.stream, one.kind, dead if one.dead else waiting,
            one.replayed, one.attempts, one.first_failed_at, one.due_at, one.error, at,
        )
        for one in rows
    ]  # fmt: skip
    insert_rows(HeldDelivery, values, fields=_FIELDS, on_conflict=if_held)
