"""What the open orders of an account are still to do, by instrument."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from journal.bulk import raw_cursor
from kernel.fix import Side
from kernel.numbers import ZERO
from orders.domain.replayed import ReplayedOrder

_WORKING = """
SELECT l.instrument_id, o.side, sum(o.leaves_qty)
  FROM orders_order o JOIN refdata_listing l ON l.id = o.listing_id
 WHERE o.account_id = %s AND o.is_open GROUP BY l.instrument_id, o.side
"""


@dataclass(frozen=True, slots=True)
class Working:
    """Leaves of open orders, in units: buys are not netted against sells; short sales are among the sells."""

    buy: Decimal = ZERO
    sell: Decimal = ZERO


def list_working(account_id: UUID) -> Mapping[UUID, Working]:
    """Of every instrument in which the account has open orders. The caller has found it visible."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_WORKING, [account_id])
        return _summed(cursor.fetchall())


def working_of(orders: Iterable[ReplayedOrder]) -> Mapping[UUID, Working]:
    """The same for orders as they were once."""
    return _summed((order.instrument_id, order.fixed["side"], order.leaves_qty) for order in orders if order.is_open)


def _summed(rows: Iterable[tuple[UUID, str, Decimal]]) -> Mapping[UUID, Working]:
    sums: defaultdict[UUID, Working] = defaultdict(Working)
    for instrument_id, side, leaves in rows:
        had = sums[instrument_id]
        buys = Side(side).is_buy
        sums[instrument_id] = Working(had.buy + (leaves if buys else ZERO), had.sell + (ZERO if buys else leaves))
    return sums
