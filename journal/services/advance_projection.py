"""Bring a projection forward: read the events after its position, let it take them, say where it stands then."""

from __future__ import annotations

from collections.abc import Sequence

from journal.domain.projecting import Happening, Projection
from journal.selectors.happenings import list_happenings, stream_happenings


def advance_projection(*, projection: Projection, position: int, up_to: int, limit: int = 10_000) -> int:
    """One slice of at most ``limit`` events, never past ``up_to`` (a proven horizon). Returns the position reached."""
    events = list_happenings(position, up_to=up_to, limit=limit)
    take_all(projection, events)
    return events[-1].position if len(events) == limit else up_to


def take_all(projection: Projection, events: Sequence[Happening]) -> None:
    """Let it take the events; where it needs the past of a stream, that is read for it."""
    for event in events:
        if not projection.apply(event):
            projection.restore(stream_happenings(event.stream, up_to=event.seq))
