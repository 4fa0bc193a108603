"""Book what accounts get of a block: stock and money move from its account to theirs, and each is charged for its own (ADR 0047).

Inside the caller's transaction, after ``locks.lock_allocated``. One statement a balance table and leg, one for all bookings:
a block of ten thousand accounts is as many statements as one of ten. The caller tells the events; which accounts each is about
is kept here (``AllocationPart``), so that a replay of one account finds them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from accounts.domain.allocating import AllocationEvent, sums_of
from accounts.domain.ledger import Shortfall
from accounts.models import AllocationPart
from accounts.services._allocation_sql import cash_in, move_balances, stock_in, write_bookings
from accounts.services.book_executions import overdrawn_anomaly
from journal.bulk import insert_rows
from journal.domain.records import Anomaly

_AS_INT = attrgetter("int")
_PART = ("event_id", "from_account", "first_account", "last_account", "recorded_at")


@dataclass(frozen=True, slots=True)
class BookedAllocations:
    """What a person must hear of (``raised``), or need no longer (``cleared``)."""

    raised: tuple[Anomaly, ...]
    cleared: tuple[Anomaly, ...]


def book_allocations(*, events: Sequence[AllocationEvent], at: datetime) -> BookedAllocations:
    """Book all moves of events of one currency and instrument as one change. Facts by now: nothing is refused here."""
    cash, stock, short = sums_of(events)
    currency, instrument_id = events[0].currency, events[0].instrument_id
    turned: list[Shortfall] = move_balances(cash_in(currency), cash)
    turned += move_balances(stock_in(instrument_id, short=False), stock)
    turned += move_balances(stock_in(instrument_id, short=True), short)
    write_bookings(events, at=at)
    insert_rows(AllocationPart, _parts(events, at), fields=_PART)
    return BookedAllocations(
        tuple(overdrawn_anomaly(one) for one in turned if one.available < 0),
        tuple(overdrawn_anomaly(one) for one in turned if one.available >= 0),
    )


def _parts(events: Sequence[AllocationEvent], at: datetime) -> list[tuple[object, ...]]:
    """Which accounts each event is about; what it moves on several terms (a trade and its way back) is one row."""
    accounts: dict[UUID, list[UUID]] = {}
    for event in events:
        accounts.setdefault(event.event_id, []).extend(move.account_id for move in event.moves)
    givers = {event.event_id: event.from_account_id for event in events}
    return [
        (event_id, givers[event_id], min(ids, key=_AS_INT), max(ids, key=_AS_INT), at)
        for event_id, ids in accounts.items()
    ]
