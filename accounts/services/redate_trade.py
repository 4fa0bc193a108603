"""What was undone after its settlement settles on a day of its own: the bookings move there, the balances stay.

A bust of a trade that has settled is booked by its order like any other, on the dates of the trade. Nothing can settle on those any
more: the trade the other way does, on the settlement date of today's trades.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.ledger import Layer, Posting
from accounts.models import Booking
from accounts.services._write import BOOKING_FIELDS, booking_values
from journal.bulk import write_rows


@dataclass(frozen=True, slots=True)
class Redating:
    """``qty`` units and ``cash`` as the account sees them, booked on ``before``, that settle on ``after``."""

    event_id: UUID
    account_id: UUID
    instrument_id: UUID
    currency: str
    is_short: bool
    qty: Decimal
    cash: Decimal
    trade_date: date
    before: date
    after: date


def redate_trade(*, redating: Redating, at: datetime) -> None:
    """Write the pairs of bookings, in the caller's transaction and behind the account's lock."""
    layer = Layer.SHORT if redating.is_short else Layer.PENDING
    units = -redating.qty if redating.is_short else redating.qty
    one, rows = redating, []
    for sign, day in ((-1, one.before), (1, one.after)):
        postings = [
            Posting(one.account_id, one.event_id, Layer.PENDING, sign * one.cash, one.currency),
            Posting(one.account_id, one.event_id, layer, sign * units, instrument_id=one.instrument_id),
        ]
        rows += [
            booking_values(
                posting,
                kind=Booking.Kind.COMPENSATION,
                trade_date=one.trade_date,
                settlement_date=day,
                at=at,
            )
            for posting in postings
            if posting.amount
        ]
    write_rows(Booking, rows, fields=BOOKING_FIELDS)
