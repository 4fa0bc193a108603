"""Run one listener once: read behind its cursor, let it work, move the cursor, all in one transaction.

A slice that fails is halved until the event that cannot be worked stands alone; that one is set aside with an
anomaly and the stream goes on. What is wrong with the database or says *Unavailable* is nobody's poison: it is
raised, and the same slice runs again later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import InterfaceError, OperationalError, transaction

from journal.bulk import insert_rows, raw_cursor
from journal.domain.records import Anomaly, EventRecord, ListenerRun, Severity
from journal.locks import lock_cursor
from journal.models import SetAside
from journal.selectors.events import list_events_after
from journal.selectors.horizon import Horizon
from journal.selectors.lag import find_cursor
from journal.services.raise_anomaly import raise_anomaly
from kernel.crash_points import crash_point
from kernel.errors import Unavailable
from kernel.ids import new_id

logger = logging.getLogger(__name__)

Handle = Callable[[Sequence[EventRecord]], None]
MAX_SET_ASIDE = 20
IDLE_ADVANCE = 1000  # events of other kinds a cursor may lie behind before it is worth a commit to move it
EVENT_SET_ASIDE = "EVENT_SET_ASIDE"
_TRANSIENT = (OperationalError, InterfaceError, Unavailable)


@dataclass(frozen=True, slots=True)
class _Job:
    name: str
    kinds: tuple[str, ...] | None
    handle: Handle
    at: datetime
    ceiling: int
    pending: bool


class _Poison(Exception):
    """A slice failed; ``events`` are what it held."""

    def __init__(self, events: Sequence[EventRecord], cause: Exception) -> None:
        super().__init__(str(cause))
        self.events = events
        self.cause = cause


def run_listener(
    *,
    name: str,
    kinds: Iterable[str] | None,
    handle: Handle,
    at: datetime,
    limit: int = 500,
    horizon: Horizon | None = None,
) -> ListenerRun:
    """One pass over at most ``limit`` events of ``kinds`` (all when None).

    ``horizon`` is kept by the calling loop; without one a fresh proof is made. Raises Unavailable LISTENER_FAILING
    when twenty events in a row cannot be worked: then the fault is not theirs. ``more`` in the answer: come back at
    once, there is more to read or soon will be.
    """
    horizon = horizon or Horizon()
    ceiling = horizon.position()
    job = _Job(name, tuple(kinds) if kinds is not None else None, handle, at, ceiling, horizon.pending)
    position = find_cursor(name)
    if ceiling - position < IDLE_ADVANCE and not list_events_after(position, limit=1, kinds=job.kinds, up_to=ceiling):
        return ListenerRun(name, position, more=horizon.pending)
    try:
        run = _slice(job, limit)
    except _Poison as poison:
        logger.exception("listener %s failed on a slice of %d events", name, len(poison.events))
        return _isolate(job, poison)
    if run.handled:
        crash_point("listener_after_commit")
    return run


def _slice(job: _Job, limit: int) -> ListenerRun:
    with transaction.atomic():
        position = lock_cursor(job.name)
        if position is None:
            return ListenerRun(job.name, 0, busy=True)
        events = list_events_after(position, limit=limit, kinds=job.kinds, up_to=job.ceiling)
        more = len(events) == limit
        reached = events[-1].position if more else max(job.ceiling, position)
        if events:
            try:
                job.handle(events)
            except _TRANSIENT:
                raise
            except Exception as error:
                raise _Poison(events, error) from error
        if reached > position:
            _advance(job, reached)
        if events:
            crash_point("listener_before_commit")
        return ListenerRun(job.name, reached, handled=len(events), more=more or job.pending)


def _advance(job: _Job, position: int) -> None:
    with raw_cursor() as cursor:
        cursor.execute(
            "UPDATE journal_cursor SET position = %s, updated_at = %s WHERE name = %s", [position, job.at, job.name]
        )


def _isolate(job: _Job, poison: _Poison) -> ListenerRun:
    """Work the failed slice in halves until its last event is behind us; a slice of one that fails is set aside."""
    target = poison.events[-1].position
    size = max(len(poison.events) // 2, 1)
    handled = set_aside = in_a_row = reached = 0
    while reached < target:
        try:
            run = _slice(job, size)
        except _Poison as found:
            if len(found.events) > 1:
                size = len(found.events) // 2
                continue
            _set_aside(job, found)
            set_aside, in_a_row, reached, size = set_aside + 1, in_a_row + 1, found.events[0].position, 1
            if in_a_row >= MAX_SET_ASIDE:
                sentence = f"Listener {job.name} failed on {in_a_row} events in a row."
                raise Unavailable("LISTENER_FAILING", sentence) from found
        else:
            if run.busy:
                return ListenerRun(job.name, reached, handled, set_aside, busy=True)
            handled, in_a_row, reached, size = handled + run.handled, 0, run.position, size * 2
    return ListenerRun(job.name, reached, handled, set_aside, more=True)


def _set_aside(job: _Job, poison: _Poison) -> None:
    """Keep the event whole, tell a person, step over it: one transaction of its own."""
    event = poison.events[0]
    reason = f"{type(poison.cause).__name__}: {poison.cause}"[:2000]
    with transaction.atomic():
        if lock_cursor(job.name) is None:
            raise Unavailable("LISTENER_BUSY", f"Another copy works on listener {job.name}.")
        whole = {
            "id": str(event.id),
            "stream": event.stream,
            "seq": event.seq,
            "kind": event.kind,
            "payload": event.payload,
        }
        insert_rows(
            SetAside,
            [(new_id(), job.name, str(event.position), reason, whole, job.at)],
            fields=("id", "source", "position", "reason", "payload", "recorded_at"),
            on_conflict="DO NOTHING",
        )
        if event.payload.get("kind") != EVENT_SET_ASIDE:  # or the listener of anomalies would breed them
            raise_anomaly(
                anomaly=_set_aside_anomaly(job, event, reason),
                actor=f"process:{job.name}",
                at=job.at,
                business_date=event.business_date,
                correlation_id=event.correlation_id,
                causation_id=event.id,
            )
        _advance(job, event.position)


def _set_aside_anomaly(job: _Job, event: EventRecord, reason: str) -> Anomaly:
    return Anomaly(
        kind=EVENT_SET_ASIDE,
        severity=Severity.HIGH,
        subject_type="event",
        subject_id=str(event.id),
        sentence=f"{event.kind} of {event.stream} could not be worked by {job.name} and was set aside: {reason}",
        dedupe_key=f"set-aside:{job.name}:{event.position}",
        evidence={"listener": job.name, "position": event.position, "stream": event.stream, "reason": reason},
    )
