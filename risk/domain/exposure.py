"""What an order can cost: the value it is limited by, and the cash or stock that is held for it.

A limit order costs its limit. A market or stop order has no limit, so it is taken at the last price (a stop at its
stop price where that is higher) plus five per cent for a buy. Held cash is rounded up, so no booking exceeds it.
"""

from __future__ import annotations

from decimal import Decimal

from kernel.fix import OrdType
from kernel.numbers import ZERO, Money
from refdata.domain.listing_facts import ListingFacts
from refdata.domain.price_units import notional, notional_up
from risk.domain.facts import Facts, TermFacts

COLLAR = Decimal("1.05")


def price_basis(terms: TermFacts, listing: ListingFacts) -> Decimal | None:
    """The price the order is valued at, in the price unit; None when there is no limit and no last price."""
    if terms.ord_type in (OrdType.LIMIT, OrdType.STOP_LIMIT):
        return terms.price
    last = listing.price.last if listing.price else None
    if terms.ord_type is OrdType.STOP and terms.stop_px is not None:
        return max(terms.stop_px, last) if last is not None else terms.stop_px
    return last


def order_value(facts: Facts) -> Money | None:
    """Value of the whole quantity asked for, in the listing's currency; None without any price."""
    listing = facts.listing
    px = price_basis(facts.terms, listing)
    if px is None:
        return None
    return notional(facts.terms.order_qty, px, currency=listing.currency, price_divisor=listing.price_divisor)


def cash_to_hold(facts: Facts) -> Decimal | None:
    """Cash for the leaves of a buy, fees included, in the listing's currency; zero for a sell, None without a price."""
    if not facts.terms.side.is_buy:
        return ZERO
    px = price_basis(facts.terms, facts.listing)
    if px is None:
        return None
    if facts.terms.ord_type in (OrdType.MARKET, OrdType.STOP):
        px *= COLLAR
    listing = facts.listing
    held = notional_up(facts.leaves_qty, px, currency=listing.currency, price_divisor=listing.price_divisor)
    return held.amount + facts.fees


def stock_to_hold(facts: Facts) -> Decimal:
    """Units held for a sell of what is owned; a short sale (5, 6) and a buy hold none."""
    side = facts.terms.side
    return ZERO if side.is_buy or side.is_short else facts.leaves_qty
