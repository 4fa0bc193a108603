"""What the demo flow asks for next. Pure: chance, prices and figures come in, order terms go out.

Most orders are small limits near the last price; some are market, immediate, stop or good-till-cancel orders; a few are
large enough to need a second person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from random import Random

from kernel.fix import OrdType, Side, TimeInForce
from kernel.numbers import ZERO
from orders.domain.terms import OrderTerms, ReplaceTerms
from refdata.domain.listing_facts import ListingFacts
from refdata.domain.tick_table import Band, tick_above, tick_below, tick_for

SMALL = (Decimal(1_500), Decimal(20_000))
LARGE = (Decimal(30_000), Decimal(90_000))
LARGE_SHARE = 0.04
_BASIS = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Style:
    """A kind of order: its share of the flow, type, time in force, and limit distance from last in basis points.

    Positive distances are towards the other side (more likely to trade), negative ones away from it.
    """

    share: int
    ord_type: OrdType
    time_in_force: TimeInForce
    distance: tuple[int, int]


STYLES = (
    Style(46, OrdType.LIMIT, TimeInForce.DAY, (-40, 15)),
    Style(16, OrdType.LIMIT, TimeInForce.DAY, (15, 40)),
    Style(12, OrdType.MARKET, TimeInForce.DAY, (0, 0)),
    Style(8, OrdType.LIMIT, TimeInForce.IOC, (5, 40)),
    Style(3, OrdType.LIMIT, TimeInForce.FOK, (10, 40)),
    Style(8, OrdType.LIMIT, TimeInForce.GTC, (-200, -60)),
    Style(4, OrdType.STOP, TimeInForce.DAY, (60, 200)),
    Style(3, OrdType.STOP_LIMIT, TimeInForce.DAY, (60, 200)),
)


def pick_style(random: Random) -> Style:
    """One of the styles by its share."""
    return random.choices(STYLES, weights=[style.share for style in STYLES])[0]


def new_terms(
    random: Random,
    *,
    account: str,
    listing: ListingFacts,
    side: Side,
    available: Decimal,
    allow_large: bool,
) -> OrderTerms | None:
    """Terms for one order, or None when there is no price or too little to trade.

    ``available`` bounds it: cash in the listing's currency for a buy, units for a sale.
    """
    if listing.price is None:
        return None
    last = listing.price.last
    style = pick_style(random)
    qty = _quantity(random, listing, last, side=side, available=available, allow_large=allow_large)
    if qty <= ZERO:
        return None
    moved = shifted(last, random.randint(*style.distance), towards_buy=side.is_buy)
    price = stop_px = None
    if style.ord_type is OrdType.LIMIT:
        price = on_tick(listing.ticks, moved, up=not side.is_buy)
    elif style.ord_type is OrdType.STOP:
        stop_px = on_tick(listing.ticks, moved, up=side.is_buy)
    elif style.ord_type is OrdType.STOP_LIMIT:
        stop_px = on_tick(listing.ticks, moved, up=side.is_buy)
        price = on_tick(listing.ticks, shifted(stop_px, 30, towards_buy=side.is_buy), up=side.is_buy)
    displays = style.time_in_force is TimeInForce.DAY and price is not None and random.random() < 0.05
    return OrderTerms(
        account=account,
        symbol=listing.symbol,
        side=side,
        ord_type=style.ord_type,
        order_qty=qty,
        time_in_force=style.time_in_force,
        price=price,
        stop_px=stop_px,
        max_floor=lots(qty / 4, listing.lot_size) if displays and qty >= 4 * listing.lot_size else None,
    )


def amended_terms(
    random: Random, *, side: Side, ticks: Sequence[Band], lot_size: Decimal, order_qty: Decimal, price: Decimal
) -> ReplaceTerms:
    """A replace: a new limit some basis points away, at least a tick, and sometimes a smaller quantity as well."""
    moved = shifted(price, random.choice((-15, -8, 8, 15)), towards_buy=side.is_buy)
    if on_tick(ticks, moved, up=not side.is_buy) == price:
        moved = price + (-1 if side.is_buy else 1) * tick_for(ticks, price)
    smaller = lots(order_qty * Decimal("0.8"), lot_size) if random.random() < 0.3 else None
    return ReplaceTerms(
        price=on_tick(ticks, moved, up=not side.is_buy),
        order_qty=smaller if smaller is not None and smaller > ZERO else None,
    )


def shifted(price: Decimal, basis_points: int, *, towards_buy: bool) -> Decimal:
    """A price moved: up for a buyer who reaches further, down for a seller."""
    return price * (1 + Decimal(basis_points if towards_buy else -basis_points) / _BASIS)


def on_tick(bands: Sequence[Band], price: Decimal, *, up: bool) -> Decimal:
    """The valid price next to ``price``, never zero."""
    below = tick_below(bands, price)
    return tick_above(bands, price) if up or below <= ZERO else below


def lots(qty: Decimal, lot_size: Decimal) -> Decimal:
    """The whole lots in ``qty``, in units."""
    return (qty / lot_size).to_integral_value(ROUND_FLOOR) * lot_size


def _quantity(
    random: Random, listing: ListingFacts, last: Decimal, *, side: Side, available: Decimal, allow_large: bool
) -> Decimal:
    low, high = LARGE if allow_large and random.random() < LARGE_SHARE else SMALL
    value = low + (high - low) * Decimal(random.randint(0, 100)) ** 2 / _BASIS
    qty = lots(value * listing.price_divisor / last, listing.lot_size)
    if side.is_buy:
        affordable = available * listing.price_divisor / (last * Decimal("1.1"))
        return min(qty, lots(affordable, listing.lot_size))
    return min(qty, lots(available, listing.lot_size))
