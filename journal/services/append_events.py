"""Write events into their streams. The caller holds the lock on each stream's head and keeps the new head.

``EVENT_FIELDS`` and ``event_values`` are for callers that fold the insert into a larger statement of their own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from journal.bulk import write_rows
from journal.domain.chain import EventDraft, EventRow, Head, chain
from journal.models import Event
from journal.notify import notify

EVENT_FIELDS = (
    "id",
    "stream",
    "seq",
    "kind",
    "version",
    "actor",
    "on_behalf_of",
    "correlation_id",
    "causation_id",
    "event_at",
    "received_at",
    "recorded_at",
    "business_date",
    "payload",
    "prev_hash",
    "hash",
)


def event_values(row: EventRow) -> tuple[Any, ...]:
    """The values of an event in the order of ``EVENT_FIELDS``; the payload as finished JSON bytes."""
    draft = row.draft
    return (
        draft.id,
        draft.stream,
        row.seq,
        draft.kind,
        draft.version,
        draft.actor,
        draft.on_behalf_of,
        draft.correlation_id,
        draft.causation_id,
        draft.event_at,
        draft.received_at,
        row.recorded_at,
        draft.business_date,
        row.payload_json,
        row.prev_hash,
        row.hash,
    )


def append_events(
    *, drafts: Sequence[EventDraft], heads: Mapping[str, Head], at: datetime, wake: bool = True
) -> tuple[EventRow, ...]:
    """Chain the drafts behind their heads, write them, and wake the listeners at commit.

    Returns the rows as written, in order; ``journal.domain.chain.last_heads`` of them is what the caller stores.
    """
    rows = chain(drafts, heads, recorded_at=at)
    write_rows(Event, [event_values(row) for row in rows], fields=EVENT_FIELDS)
    if rows and wake:
        notify()
    return rows
