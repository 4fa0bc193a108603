"""The money of an account at a moment: its bookings recorded until then, and what its orders held then; and what trades
dated before a day came to, whenever they were recorded.

Bookings are append-only and every change of a balance is one, so their sum up to a time is the balance of that time. What
orders held is told by ``orders``, which replays them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from accounts.domain.entitlement import Position, position_of
from accounts.domain.ledger import OrderHold
from accounts.domain.replaying import WITHDRAWALS, ReplayedMoney, Sums, take_withdrawal
from accounts.models import Booking
from journal.bulk import raw_cursor
from journal.selectors.events import records_of_streams

_BOOKED = """
SELECT layer, currency, instrument_id, sum(amount) FROM accounts_booking
 WHERE account_id = %s AND recorded_at <= %s GROUP BY layer, currency, instrument_id
"""
# A correction or bust is booked on its own day: it belongs to the day of its trade, the first booking of the execution.
_BEFORE = """
SELECT account_id, layer, settlement_date, sum(amount)
  FROM (SELECT account_id, layer, settlement_date, amount, CASE WHEN execution_id IS NULL AND allocation_id IS NULL THEN trade_date
               ELSE min(trade_date) OVER (PARTITION BY account_id, coalesce(execution_id, allocation_id)) END AS dated
          FROM accounts_booking WHERE account_id = ANY(%s::uuid[]) AND instrument_id = %s) b
 WHERE dated < %s GROUP BY account_id, layer, settlement_date
"""
_WHO_EVER_HELD = "SELECT account_id FROM accounts_holding WHERE instrument_id = %s ORDER BY account_id"


def get_money_as_at(*, account_id: UUID, at: datetime, holds: Iterable[OrderHold] = ()) -> ReplayedMoney:
    """Cash and stock by layer as booked until ``at``, with the ``holds`` that orders had then reserved, and those of withdrawals.

    The caller has found the account visible.
    """
    money = ReplayedMoney(account_id)
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_BOOKED, [account_id, at])
        rows = cursor.fetchall()
    for layer, currency, instrument_id, amount in rows:
        add_booked(money.stock_in(instrument_id) if instrument_id else money.cash_in(currency), layer, amount)
    for event, _ in records_of_streams([f"account:{account_id}"]):
        if event.kind in WITHDRAWALS and event.recorded_at <= at:
            take_withdrawal(money, event)
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


def get_positions_before(*, account_ids: Collection[UUID], instrument_id: UUID, day: date) -> dict[UUID, Position]:
    """What each account held by trades dated before ``day``, as booked by now; accounts that held nothing are absent."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_BEFORE, [sorted(set(account_ids)), instrument_id, day])
        rows = cursor.fetchall()
    found: dict[UUID, list[tuple[str, date, Decimal]]] = {}
    for account_id, *part in rows:
        found.setdefault(account_id, []).append((part[0], part[1], part[2]))
    positions = {account_id: position_of(parts) for account_id, parts in found.items()}
    return {account_id: position for account_id, position in sorted(positions.items()) if position.parts}


def list_who_ever_held(instrument_id: UUID) -> list[UUID]:
    """Accounts with a row for the instrument, by id."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_WHO_EVER_HELD, [instrument_id])
        return [row[0] for row in cursor.fetchall()]
