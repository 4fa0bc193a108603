"""What an order can cost: the value it is limited by, and the cash or stock that is held for it.

A limit order costs its limit. A market or stop order has no limit, so it is taken at the last price (a stop at its
stop price where that is higher) plus five per cent for a buy. Held cash is rounded up, so no booking exceeds it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from kernel.fix import OrdType, Side
from kernel.numbers import ZERO, Money
from refdata.domain.price_units import notional, notional_up
from risk.domain.facts import Facts

COLLAR = Decimal("1.05")


@dataclass(frozen=True, slots=True)
class Priced:
    """What of an order decides its price: ``last`` is the reference price it was checked with, None without one."""

    side: Side
    ord_type: OrdType
    price: Decimal | None
    stop_px: Decimal | None
    last: Decimal | None
    currency: str
    price_divisor: int

    @property
    def basis(self) -> Decimal | None:
        """The price the order is valued at, in the price unit; None when there is neither limit nor last price."""
        if self.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT):
            return self.price
        if self.ord_type is OrdType.STOP and self.stop_px is not None:
            return max(self.stop_px, self.last) if self.last is not None else self.stop_px
        return self.last

    def cash_for(self, leaves_qty: Decimal) -> Decimal | None:
        """Cash a buy of so many units may still cost, rounded up, without fees; zero for a sell, None without a price."""
        if not self.side.is_buy or leaves_qty <= ZERO:
            return ZERO
        px = self.basis
        if px is None:
            return None
        if self.ord_type in (OrdType.MARKET, OrdType.STOP):
            px *= COLLAR
        return notional_up(leaves_qty, px, currency=self.currency, price_divisor=self.price_divisor).amount

    def stock_for(self, leaves_qty: Decimal) -> Decimal:
        """Units held for a sell of what is owned; a short sale (5, 6) and a buy hold none."""
        return ZERO if self.side.is_buy or self.side.is_short else max(leaves_qty, ZERO)


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
    )


def order_value(facts: Facts) -> Money | None:
    """Value of the whole quantity asked for, in the listing's currency; None without any price."""
    px = priced(facts).basis
    if px is None:
        return None
    listing = facts.listing
    return notional(facts.terms.order_qty, px, currency=listing.currency, price_divisor=listing.price_divisor)


def cash_to_hold(facts: Facts) -> Decimal | None:
    """Cash for the leaves of a buy, fees included, in the listing's currency; zero for a sell, None without a price."""
    if not facts.terms.side.is_buy:
        return ZERO
    held = priced(facts).cash_for(facts.leaves_qty)
    return held + facts.fees if held is not None else None


def stock_to_hold(facts: Facts) -> Decimal:
    """Units held for the leaves of a sell of what is owned."""
    return priced(facts).stock_for(facts.leaves_qty)
