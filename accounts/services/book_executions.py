"""Book what venues reported: cash and stock in the pending layer, holds exchanged, one booking row for each change.

Facts are always booked. A balance that falls below what is reserved is marked with the event that did it and comes
back as an anomaly for the caller to raise; a balance that is covered again comes back to be cleared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from accounts.domain.ledger import OrderHold, Posted, Shortfall, TradeBooking, needed_rows, post, trade_postings
from accounts.locks import lock_holds, lock_or_open
from accounts.models import Booking
from accounts.services._write import BOOKING_FIELDS, booking_values, write_holds, write_posted
from journal.bulk import one_transaction, write_rows
from journal.domain.records import Anomaly, Severity
from kernel.numbers import plain

OVERDRAWN = "OVERDRAWN"


@dataclass(frozen=True, slots=True)
class BookResult:
    """The balances that changed, and what a person must hear of (``raised``) or need no longer (``cleared``)."""

    posted: Posted
    raised: tuple[Anomaly, ...]
    cleared: tuple[Anomaly, ...]


def book_executions(*, bookings: Sequence[TradeBooking], at: datetime, holds: Sequence[OrderHold] = ()) -> BookResult:
    """Book the executions and set what their orders hold from now on, as one change, inside the caller's transaction.

    ``holds`` are absolute; one order may appear once. An order that holds nothing any more is given an empty hold.
    """
    with one_transaction():
        moves = [(booking, posting) for booking in bookings for posting in trade_postings(booking)]
        postings = [posting for _, posting in moves]
        accounts = {b.account_id for b in bookings} | {h.account_id for h in holds}
        cash, stock = needed_rows(postings, holds)
        money = lock_or_open(cash=cash, stock=stock, account_ids=accounts)
        before = lock_holds([hold.order_id for hold in holds]) if holds else {}
        _, held = needed_rows((), before.values())
        if not held <= stock:
            money = lock_or_open(cash=cash, stock=stock | held, account_ids=accounts)

        changes = [(before.get(hold.order_id), hold) for hold in holds]
        posted = post(money, postings, changes)

        write_posted(posted)
        write_holds(changes, at=at)
        rows = [
            booking_values(
                posting,
                kind=booking.kind,
                order_id=booking.order_id,
                execution_id=booking.execution_id,
                trade_date=booking.trade_date,
                settlement_date=booking.settlement_date,
                at=at,
            )
            for booking, posting in moves
        ]
        write_rows(Booking, rows, fields=BOOKING_FIELDS)
        return BookResult(
            posted,
            tuple(overdrawn_anomaly(shortfall) for shortfall in posted.overdrawn),
            tuple(overdrawn_anomaly(shortfall) for shortfall in posted.recovered),
        )


def overdrawn_anomaly(shortfall: Shortfall) -> Anomaly:
    """The matter of one balance: the same key when it falls below and when it comes back."""
    what = shortfall.currency or f"instrument {shortfall.instrument_id}"
    amount = plain(shortfall.available)
    if shortfall.available < 0:
        sentence = f"A fact from a venue left the account with {amount} of {what} available; new risk is blocked."
    else:
        sentence = f"The account has {amount} of {what} available again."
    return Anomaly(
        kind=OVERDRAWN,
        severity=Severity.HIGH,
        subject_type="account",
        subject_id=str(shortfall.account_id),
        sentence=sentence,
        dedupe_key=f"overdrawn:{shortfall.account_id}:{shortfall.currency or shortfall.instrument_id}",
        evidence={
            "available": amount,
            "currency": shortfall.currency,
            "instrument_id": str(shortfall.instrument_id) if shortfall.instrument_id else None,
            "event_id": str(shortfall.event_id) if shortfall.event_id else None,
        },
    )
