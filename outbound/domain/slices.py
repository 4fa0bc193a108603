"""What is sent next to one endpoint, and in which lanes. Pure.

Invariants: events of one subject are in one lane in their order, and a lane ends at its first failure; what is held of a
subject goes before what is new of it; a new event is sent, or parked behind what is held of its subject, or the position
stays before it. While the breaker is open one event goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from outbound.domain.pacing import MOST_HELD, SLICE, Health


@dataclass(frozen=True, slots=True)
class Item:
    """An event for one endpoint. ``due_at`` is None where it was never held."""

    position: int
    event_id: UUID
    stream: str
    kind: str
    attempts: int = 0
    due_at: datetime | None = None
    first_failed_at: datetime | None = None

    @property
    def is_held(self) -> bool:
        return self.due_at is not None


@dataclass(frozen=True, slots=True)
class Plan:
    """``position``: how far the journal is read once this is settled, None where it is not read on."""

    lanes: tuple[tuple[Item, ...], ...] = ()
    parked: tuple[Item, ...] = ()
    position: int | None = None

    @property
    def items(self) -> list[Item]:
        """All that is to be sent."""
        return [item for lane in self.lanes for item in lane]


def room_for_new(held: int) -> int:
    """How many new events may be read beside so many held ones: a full queue stops the reading, the journal keeps them."""
    return SLICE if held < MOST_HELD else 0


def plan(held: Sequence[Item], fresh: Sequence[Item], *, reached: int | None, health: Health, at: datetime) -> Plan:
    """``held`` and ``fresh`` in order of position; ``reached`` is how far the journal was read for ``fresh``."""
    if not health.may_try(at):
        return Plan()
    queues: dict[str, list[Item]] = {}
    for item in held:
        queues.setdefault(item.stream, []).append(item)
    if health.is_open:
        return _probe(queues, fresh, reached=reached, at=at)
    lanes: dict[str, list[Item]] = {}
    room = SLICE
    for stream, queue in queues.items():
        if _is_due(queue[0], at) and room:
            lanes[stream] = queue[:room]
            room -= len(lanes[stream])
    parked: list[Item] = []
    for item in fresh:
        waiting = queues.get(item.stream, [])
        if waiting and lanes.get(item.stream, [])[: len(waiting)] != waiting:
            parked.append(item)
        else:
            lanes.setdefault(item.stream, []).append(item)
    return Plan(tuple(map(tuple, lanes.values())), tuple(parked), reached)


def _probe(queues: dict[str, list[Item]], fresh: Sequence[Item], *, reached: int | None, at: datetime) -> Plan:
    """The first new event of a subject of which nothing is held, if there is one, else the least tried held one.

    So an event that an otherwise sound endpoint does not take cannot keep the breaker open for the others.
    """
    for place, item in enumerate(fresh):
        if item.stream not in queues:
            return Plan(((item,),), tuple(fresh[:place]), item.position)
    heads = [queue[0] for queue in queues.values() if _is_due(queue[0], at)]
    chosen = min(heads, key=lambda item: (item.attempts, item.position), default=None)
    return Plan(((chosen,),) if chosen else (), tuple(fresh), reached)


def _is_due(item: Item, at: datetime) -> bool:
    return item.due_at is None or item.due_at <= at
