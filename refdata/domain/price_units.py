"""Prices and money. Pence are not pounds: 72.34 GBX is 0.7234 GBP, and money is always in the currency."""

from __future__ import annotations

from decimal import Decimal

from kernel.numbers import Money, round_money, round_money_up

MINOR_PRICE_UNITS = {"GBX": ("GBP", 100)}
"""Price units that are not currencies: their currency and how many make one."""


def divisor_of(price_unit: str, currency: str) -> int | None:
    """How many price units make one of ``currency``; None when the unit does not belong to the currency."""
    if price_unit == currency and currency not in MINOR_PRICE_UNITS:
        return 1
    base, divisor = MINOR_PRICE_UNITS.get(price_unit, ("", 0))
    return divisor if base == currency else None


def notional(qty: Decimal, px: Decimal, *, currency: str, price_divisor: int) -> Money:
    """What ``qty`` at ``px`` is worth, half-even to the minor unit: the figure that is booked."""
    return Money(round_money(qty * px / price_divisor, currency), currency)


def notional_up(qty: Decimal, px: Decimal, *, currency: str, price_divisor: int) -> Money:
    """The same rounded up: the figure that is reserved, never below a booking."""
    return Money(round_money_up(qty * px / price_divisor, currency), currency)
