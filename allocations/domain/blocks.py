"""Which executions belong together, and what a block of them comes to. Pure.

Executions of a wash account are one block where account, listing, side, day, settlement date and capacity are the same; an
order whose allocation was intended before it traded is a block of its own, with its children. Executions for a client's own
account are a *direct* block for each order and day. An execution stays in the block it came into.

Invariant: quantity, notional and cash of a block are the sums over its executions as they stand, whatever came first.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal
from uuid import UUID

from kernel.numbers import ZERO

_EXACT = Context(prec=60)
_AVG_PX_PLACES = Decimal(1).scaleb(-12)


@dataclass(frozen=True, slots=True)
class Together:
    """What executions must have in common. ``order_id``: of a direct block, or whose allocation was intended."""

    wash: bool
    account_id: UUID
    listing_id: UUID
    side: str
    trade_date: date
    settlement_date: date
    capacity: str
    order_id: UUID | None = None

    @property
    def key(self) -> str:
        """The block's key: from its facts alone."""
        days = f"{self.trade_date.isoformat()}:{self.settlement_date.isoformat()}"
        if not self.wash:
            return f"d:{self.order_id}:{days}"
        order = f":{self.order_id}" if self.order_id else ""
        return f"w:{self.account_id}:{self.listing_id}:{self.side}:{days}:{self.capacity}{order}"


@dataclass(frozen=True, slots=True)
class Sums:
    """What a block comes to. ``avg_px`` in the price unit to twelve places, half-even; zero where nothing is left."""

    qty: Decimal = ZERO
    notional: Decimal = ZERO
    cash: Decimal = ZERO
    fills: int = 0

    @property
    def avg_px(self) -> Decimal:
        if not self.qty:
            return ZERO
        return _EXACT.divide(self.notional, self.qty).quantize(_AVG_PX_PLACES, ROUND_HALF_EVEN)


def summed(fills: Iterable[tuple[Decimal, Decimal, Decimal]]) -> Sums:
    """Of (quantity, price, cash) of each execution; one that was busted counts for nothing."""
    qty, notional, cash, count = ZERO, ZERO, ZERO, 0
    for units, px, money in fills:
        qty = _EXACT.add(qty, units)
        notional = _EXACT.add(notional, _EXACT.multiply(units, px))
        cash = _EXACT.add(cash, money)
        count += 1 if units else 0
    return Sums(qty, notional, cash, count)
