"""A note that tells of a trade which was undone is stale from that moment; who issues notes puts another in its place. A listener."""

from __future__ import annotations

from collections.abc import Sequence

from allocations.domain import transitions as moves
from allocations.domain.telling import told
from allocations.models import ContractNote
from journal.domain.records import EventRecord


def handle(events: Sequence[EventRecord]) -> None:
    """Mark the live notes of all allocations that ended. Nothing is rendered here: an event may end ten thousand."""
    ended = [line.allocation_id for event in events for _, line in told(event.payload)]
    at = max(event.recorded_at for event in events)
    notes = ContractNote.allocations.through.objects.filter(allocation_id__in=ended).values("contractnote_id")
    ContractNote.objects.filter(pk__in=notes, state=moves.ISSUED, cancels=None, stale_at=None).update(stale_at=at)
