"""Every allocation, its successors and its end become lines of the trade feed, and events that webhooks may carry. A listener.

The lock on the feed's number row is held until commit, so positions commit in their order: a reader that has n never finds a
line below n later. Run again, it adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from allocations.domain.feed import CANCEL, CORRECTION, NEW, Entry, Step, Verb, next_entries
from allocations.domain.telling import BlockTold, LineTold, told
from allocations.locks import lock_series
from allocations.models import FeedEntry, NoteSeries
from allocations.services._feed_records import Sight, records_of
from authorisation.domain.principal import process_principal
from journal.bulk import raw_cursor, write_rows
from journal.domain.chain import EventDraft
from journal.domain.records import EventRecord
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id

ACTOR = process_principal("trade-feed").actor
SERIES = "trade-feed"
STREAM = "trade-feed"
VERBS = {
    "AllocationBooked": Verb.BOOKED,
    "DirectTradesFormed": Verb.BOOKED,
    "AllocationCompensated": Verb.BOOKED,
    "AllocationReversed": Verb.ENDED,
    "DirectTradesReversed": Verb.ENDED,
    "DirectTradesCompensated": Verb.BOOKED,
}
KINDS = {NEW: "TradeTold", CORRECTION: "TradeCorrected", CANCEL: "TradeCanceled"}
_FIELDS = ("position", "what", "trade_ref", "version", "allocation_id", "payload", "event_id", "recorded_at")

# Whose place an allocation takes: of the rounds that ended when it was booked, the last; and whether its own was taken so.
_NEIGHBOURS = """
WITH mine AS (
     SELECT id, block_id, account_id, is_rounding, round, booked_at, ended_at FROM allocations_allocation
      WHERE id = ANY(%s::uuid[]) AND compensates_id IS NULL
), others AS (
     SELECT id, block_id, account_id, is_rounding, round, state, booked_at, ended_at FROM allocations_allocation
      WHERE block_id IN (SELECT block_id FROM mine) AND compensates_id IS NULL
)
SELECT m.id,
       (array_agg(o.id ORDER BY o.round DESC)
         FILTER (WHERE o.state = 'reversed' AND o.ended_at = m.booked_at AND o.round < m.round))[1],
       coalesce(bool_or(o.booked_at = m.ended_at AND o.round > m.round), false)
  FROM mine m
  LEFT JOIN others o ON o.block_id = m.block_id AND o.account_id = m.account_id AND o.is_rounding = m.is_rounding AND o.id <> m.id
 GROUP BY m.id
"""


class _Told(NamedTuple):
    """One line of an event, with what happened to it."""

    verb: Verb
    event: EventRecord
    block: BlockTold
    line: LineTold


def handle(events: Sequence[EventRecord]) -> None:
    """Tell what the events did to allocations."""
    lines = [_Told(VERBS[event.kind], event, block, line) for event in events for block, line in told(event.payload)]
    if not lines:
        return
    series = lock_series(SERIES)
    neighbours = _neighbours({one.line.allocation_id for one in lines})
    named = {one.line.allocation_id for one in lines} | {before for before, _ in neighbours.values() if before}
    named |= {one.line.compensates for one in lines if one.line.compensates}
    before = _told_before(named)
    records = records_of([(one.block, one.line) for one in lines])
    sights = {one.line.allocation_id: sight for one, (_, sight) in zip(lines, records, strict=True)}
    entries = next_entries(_steps(lines, neighbours, records, before), before)
    _write(series, entries, sights, at=max(event.recorded_at for event in events))


def _neighbours(ids: Iterable[UUID]) -> dict[UUID, tuple[UUID | None, bool]]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_NEIGHBOURS, [sorted(ids)])
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


def _told_before(allocation_ids: Iterable[UUID]) -> list[Entry]:
    """All lines of the trades that the allocations belong to."""
    refs = FeedEntry.objects.filter(allocation_id__in=list(allocation_ids)).values("trade_ref")
    rows = FeedEntry.objects.filter(trade_ref__in=refs).order_by("position")
    return [
        Entry(row.what, row.trade_ref, row.version, row.allocation_id, row.payload, row.event_id)
        for row in rows.iterator(chunk_size=2000)
    ]


def _steps(
    lines: Sequence[_Told],
    neighbours: Mapping[UUID, tuple[UUID | None, bool]],
    records: Sequence[tuple[dict[str, Any], Sight]],
    before: Sequence[Entry],
) -> list[Step]:
    names = {entry.allocation_id: entry.trade_ref for entry in before}
    names |= {one.line.allocation_id: f"T-{one.line.number}" for one in lines if one.line.allocation_id not in names}
    steps = []
    for one, (told_of_it, _) in zip(lines, records, strict=True):
        allocation_id = one.line.allocation_id
        predecessor, replaced = neighbours.get(allocation_id, (None, False))
        undone = names.get(one.line.compensates) if one.line.compensates else None
        record = {**told_of_it, "state": "parked" if one.line.state == "parked" else "booked", "compensates": undone}
        steps.append(Step(one.verb, allocation_id, one.line.number, one.event.id, predecessor, replaced, record))
    return steps


def _write(series: NoteSeries, entries: Sequence[Entry], sights: Mapping[UUID, Sight], *, at: datetime) -> None:
    if not entries:
        return
    rows, drafts = [], []
    for position, entry in enumerate(entries, start=series.last_number + 1):
        event_id, payload = new_id(), {**entry.payload, "position": position}
        rows.append((position, entry.what, entry.trade_ref, entry.version, entry.allocation_id, payload, event_id, at))
        drafts.append(_draft(entry, payload, sights[entry.allocation_id], event_id, at))
    write_rows(FeedEntry, rows, fields=_FIELDS)
    series.last_number += len(entries)
    series.save(update_fields=["last_number"])
    append_to_stream(drafts=drafts, at=at)


def _draft(entry: Entry, payload: dict[str, Any], sight: Sight, event_id: UUID, at: datetime) -> EventDraft:
    return EventDraft(
        id=event_id, stream=STREAM, kind=KINDS[entry.what], actor=ACTOR, correlation_id=entry.cause, causation_id=entry.cause,
        event_at=at, received_at=at, business_date=at.date(),
        payload={**payload, "desk_id": sight.desk_id, "account_group_id": sight.group_id},
    )  # fmt: skip
