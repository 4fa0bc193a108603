"""Bring a projection forward: read the events after its position, let it take them, say where it stands then."""

from __future__ import annotations

from collections.abc import Sequence

from journal.domain.projecting import Happening, Projection
from journal.selectors.happenings import list_condensed, list_happenings, stream_happenings
from kernel.collecting import no_collecting


def advance_projection(*, projection: Projection, position: int, up_to: int, limit: int = 200_000) -> int:
    """One slice of at most ``limit`` positions, never past ``up_to`` (a proven horizon). Returns the position reached.

    Where the projection allows, the database condenses the slice: the state comes out the same, sooner.
    """
    reached = min(position + limit, up_to)
    condensing = projection.condensing
    if condensing is None:
        take_all(projection, list_happenings(position, up_to=reached))
        return reached
    whole: set[str] = set()
    with no_collecting():
        for event in list_condensed(position, up_to=reached, condensing=condensing):
            if event.stream not in whole and not projection.apply(event):
                # Events of its slice that were added up cannot be told apart: the stream is read whole, once.
                projection.restore(stream_happenings(event.stream, up_to_position=reached))
                whole.add(event.stream)
    return reached


def take_all(projection: Projection, events: Sequence[Happening]) -> None:
    """Let it take the events one by one; where it needs the past of a stream, that is read for it."""
    for event in events:
        if not projection.apply(event):
            projection.restore(stream_happenings(event.stream, up_to_position=event.position))
