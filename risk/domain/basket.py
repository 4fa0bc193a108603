"""Hard limits of a basket as a whole: how many orders, how much in each currency, how much against those before it.

Judged before any of its lines, and never by acknowledgement: one hand that slips in a file is a thousand orders at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from kernel.numbers import ZERO, plain
from risk.domain.rulebook.entries import Policy

LAST_BASKETS = 20
ENOUGH_BASKETS = 5
"""With fewer baskets behind it, a person's basket is compared with none."""


@dataclass(frozen=True, slots=True)
class BasketFacts:
    """``values`` by currency; ``counted`` all of it in the counting currency, None where a rate is missing.

    Lines without a price have no value: no such line is ever sent. ``before`` are the counted values of the last baskets.
    """

    orders: int
    values: Mapping[str, Decimal]
    counted: Decimal | None
    before: Sequence[Decimal] = ()


def basket_obstacle(basket: BasketFacts, policy: Policy | None) -> str:
    """Why the basket is refused whole, or the empty text."""
    if policy is None:
        return "No policy says how large a basket may be."
    if basket.orders > policy.basket_orders:
        return f"The basket has {basket.orders:,} orders; at most {policy.basket_orders:,} are taken at once."
    for currency, value in sorted(basket.values.items()):
        mark = policy.basket_notional.get(currency)
        if mark is None:
            return f"No mark says how much a basket may be worth in {currency}."
        if value > mark:
            return f"The basket is worth {currency} {plain(value)}; at most {plain(mark)} is taken at once."
    if policy.basket_ratio is None or len(basket.before) < ENOUGH_BASKETS:
        return ""
    if basket.counted is None:
        return "Without a fresh exchange rate the basket cannot be compared with those before it."
    largest = max(basket.before)
    if largest > ZERO and basket.counted > policy.basket_ratio * largest:
        return (
            f"The basket is {plain((basket.counted / largest).quantize(Decimal('0.1')))} times the largest of your last "
            f"{len(basket.before)}; at most {plain(policy.basket_ratio)} times is taken."
        )
    return ""
