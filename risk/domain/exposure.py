"""What an order can cost: the value it is limited by, and the cash or stock that is held for it.

A limit order costs its limit. A market or stop order has no limit, so it is taken at the last price (a stop at its
stop price where that is higher) plus five per cent for a buy. Held cash is rounded up, so no booking exceeds it. Charges
are held on top (``accounts.domain.fees.worst_case``); those of a sale come out of its proceeds and hold nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from accounts.domain.arithmetic import MARKET_COLLAR, HoldAmounts, hold_amounts, trade_value
from accounts.domain.fees import Charge, FeeSet, charges, worst_case
from kernel.fix import OrdType, Side
from kernel.numbers import ZERO, Money
from risk.domain.facts import Facts


@dataclass(frozen=True, slots=True)
class Priced:
    """What of an order decides its price: ``last`` is the reference price it was checked with, None without one; ``fees`` is
    what it is charged by."""

    side: Side
    ord_type: OrdType
    price: Decimal | None
    stop_px: Decimal | None
    last: Decimal | None
    currency: str
    price_divisor: int
    fees: FeeSet = ()

    @property
    def basis(self) -> Decimal | None:
        """The price the order is valued at, in the price unit; None when there is neither limit nor last price."""
        if self.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT):
            return self.price
        if self.ord_type is OrdType.STOP and self.stop_px is not None:
            return max(self.stop_px, self.last) if self.last is not None else self.stop_px
        return self.last

    def hold(self, leaves_qty: Decimal, executed_qty: Decimal = ZERO) -> HoldAmounts | None:
        """What so many units still hold back beside ``executed_qty`` done, charges included; None for a buy without any price."""
        px, limited = self.basis, self.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT)
        if px is None and self.side.is_buy and leaves_qty > ZERO:
            return None
        return hold_amounts(
            side=self.side,
            leaves_qty=leaves_qty,
            limit_px=px if limited else None,
            reference_px=None if limited else px,
            divisor=self.price_divisor,
            currency=self.currency,
            fees=self._worst_fees(leaves_qty, executed_qty, px, limited) if self.fees else ZERO,
        )

    def _worst_fees(self, leaves_qty: Decimal, executed_qty: Decimal, px: Decimal | None, limited: bool) -> Decimal:
        if px is None or not self.side.is_buy:
            return ZERO
        a_unit = (px if limited else px * MARKET_COLLAR) / self.price_divisor
        return worst_case(
            self.fees,
            qty=leaves_qty,
            value=leaves_qty * a_unit,
            currency=self.currency,
            whole=(leaves_qty + executed_qty) * a_unit,
        )


def priced(facts: Facts) -> Priced:
    """The pricing side of a request."""
    terms, listing = facts.terms, facts.listing
    return Priced(
        side=terms.side,
        ord_type=terms.ord_type,
        price=terms.price,
        stop_px=terms.stop_px,
        last=listing.price.last if listing.price else None,
        currency=listing.currency,
        price_divisor=listing.price_divisor,
        fees=facts.charges.terms,
    )


def order_value(facts: Facts, *, qty: Decimal | None = None) -> Money | None:
    """Value of the whole quantity asked for (or of ``qty``), in the listing's currency; None without any price."""
    px = priced(facts).basis
    if px is None:
        return None
    listing = facts.listing
    return trade_value(
        qty=facts.terms.order_qty if qty is None else qty,
        px=px,
        divisor=listing.price_divisor,
        currency=listing.currency,
    )


def cash_to_hold(facts: Facts) -> Decimal | None:
    """Cash for the leaves of a buy, charges included, in the listing's currency; zero for a sell, None without a price."""
    if not facts.terms.side.is_buy:
        return ZERO
    held = priced(facts).hold(facts.leaves_qty, facts.executed_qty)
    return held.cash if held is not None else None


def stock_to_hold(facts: Facts) -> Decimal:
    """Units held for the leaves of a sell of what is owned."""
    held = priced(facts).hold(facts.leaves_qty)
    return held.stock if held is not None else ZERO


def order_charges(facts: Facts) -> tuple[Charge, ...]:
    """What the whole quantity owes, line by line, if it trades in one day at the price it is valued at."""
    value = order_value(facts)
    if value is None:
        return ()
    terms = facts.charges.terms
    return tuple(charges(terms, qty=facts.terms.order_qty, value=value.amount, currency=value.currency))
