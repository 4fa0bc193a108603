"""The money of an account at a moment: its bookings recorded until then, and what its orders held then.

Bookings are append-only and every change of a balance is one, so their sum up to a time is the balance of that time. What
orders held is told by ``orders``, which replays them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.ledger import OrderHold
from accounts.domain.replaying import ReplayedMoney, Sums
from accounts.models import Booking
from journal.bulk import raw_cursor

_BOOKED = """
SELECT layer, currency, instrument_id, sum(amount) FROM accounts_booking
 WHERE account_id = %s AND recorded_at <= %s GROUP BY layer, currency, instrument_id
"""


def get_money_as_at(*, account_id: UUID, at: datetime, holds: Iterable[OrderHold] = ()) -> ReplayedMoney:
    """Cash and stock by layer as booked until ``at``, with the ``holds`` of that time reserved.

    The caller has found the account visible.
    """
    money = ReplayedMoney(account_id)
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_BOOKED, [account_id, at])
        rows = cursor.fetchall()
    for layer, currency, instrument_id, amount in rows:
        add_booked(money.stock_in(instrument_id) if instrument_id else money.cash_in(currency), layer, amount)
    for hold in holds:
        money.holds[hold.order_id] = hold
        if hold.cash:
            money.cash_in(hold.cash_currency).reserved += hold.cash
        if hold.stock and hold.instrument_id is not None:
            money.stock_in(hold.instrument_id).reserved += hold.stock
    return money


def add_booked(sums: Sums, layer: str, amount: Decimal) -> None:
    """Count bookings of one layer into a balance."""
    if layer == Booking.Layer.SETTLED:
        sums.settled += amount
    elif layer == Booking.Layer.PENDING:
        sums.pending += amount
    else:
        sums.short += amount
