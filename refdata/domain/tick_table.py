"""Price steps. Decides which tick holds at a price and whether a price lies on it.

A table is bands ordered by their lower bound, in the listing's price unit; a band holds from its bound (included) up to
the next one. Sources: Commission Delegated Regulation (EU) 2017/588 (MiFID II RTS 11) for Europe, SEC Rule 612 for the
United States, ASX Operating Rules Procedure 4021 for Australia.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import pairwise

from kernel.numbers import ZERO


@dataclass(frozen=True, slots=True)
class Band:
    """From ``price_from`` on, prices are multiples of ``tick``; both in the price unit."""

    price_from: Decimal
    tick: Decimal


def tick_for(bands: Sequence[Band], price: Decimal) -> Decimal:
    """The tick that holds at ``price``. Raises ValueError for a price below the first band or an empty table."""
    position = bisect_right(bands, price, key=lambda band: band.price_from)
    if position == 0:
        raise ValueError(f"no price step is defined at {price}")
    return bands[position - 1].tick


def is_on_tick(bands: Sequence[Band], price: Decimal) -> bool:
    """Whether ``price`` is positive and a whole number of ticks of its own band."""
    if price <= ZERO or not bands or price < bands[0].price_from:
        return False
    return price % tick_for(bands, price) == ZERO


def tick_below(bands: Sequence[Band], price: Decimal) -> Decimal:
    """The highest valid price at or below ``price``; zero when there is none above zero."""
    tick = tick_for(bands, price)
    return (price / tick).to_integral_value(ROUND_FLOOR) * tick


def tick_above(bands: Sequence[Band], price: Decimal) -> Decimal:
    """The lowest valid price at or above ``price``, also where the step crosses into a coarser band."""
    tick = tick_for(bands, price)
    candidate = (price / tick).to_integral_value(ROUND_CEILING) * tick
    while not is_on_tick(bands, candidate):
        coarser = tick_for(bands, candidate)
        candidate = (candidate / coarser).to_integral_value(ROUND_CEILING) * coarser
    return candidate


def band_faults(bands: Sequence[Band]) -> tuple[str, ...]:
    """What is wrong with a table as sentences: it must start at zero, rise, and have positive ticks."""
    faults: list[str] = []
    if not bands:
        return ("The table has no bands.",)
    if bands[0].price_from != ZERO:
        faults.append("The first band must start at 0.")
    for lower, upper in pairwise(bands):
        if upper.price_from <= lower.price_from:
            faults.append(f"The band from {upper.price_from} does not rise above {lower.price_from}.")
    faults.extend(f"The tick {band.tick} from {band.price_from} is not positive." for band in bands if band.tick <= 0)
    return tuple(faults)
