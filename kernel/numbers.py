"""Money and quantities. Decimal only, rounding always named."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum
from functools import lru_cache

ZERO = Decimal(0)

QTY_PLACES = Decimal("0.00000001")
PRICE_PLACES = Decimal("0.00000001")
AVG_PX_PLACES = Decimal("0.0000000001")
MOST_DIGITS = 30  # before or after the point; columns hold 20


class Rounding(StrEnum):
    """The roundings the house knows by name. ``UP`` and ``DOWN`` go towards plus and minus infinity."""

    HALF_EVEN = "half_even"
    HALF_UP = "half_up"
    UP = "up"
    DOWN = "down"


_MODES = {
    Rounding.HALF_EVEN: ROUND_HALF_EVEN,
    Rounding.HALF_UP: ROUND_HALF_UP,
    Rounding.UP: ROUND_CEILING,
    Rounding.DOWN: ROUND_FLOOR,
}

MINOR_PLACES = {"JPY": Decimal(1), "KRW": Decimal(1), "BHD": Decimal("0.001"), "KWD": Decimal("0.001")}


def minor_unit(currency: str) -> Decimal:
    """The smallest amount of a currency (ISO 4217 minor unit), e.g. 0.01 for GBP."""
    return MINOR_PLACES.get(currency, Decimal("0.01"))


def round_money(amount: Decimal, currency: str) -> Decimal:
    """Half-even to the minor unit: what is booked."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_HALF_EVEN)


def round_money_up(amount: Decimal, currency: str) -> Decimal:
    """Towards plus infinity to the minor unit: what is reserved, so that a booking never exceeds it."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_CEILING)


def round_money_down(amount: Decimal, currency: str) -> Decimal:
    """Towards minus infinity to the minor unit."""
    return amount.quantize(minor_unit(currency), rounding=ROUND_FLOOR)


def round_as(amount: Decimal, currency: str, rounding: Rounding) -> Decimal:
    """By name to the minor unit, where a schedule or a caller says how."""
    return amount.quantize(minor_unit(currency), rounding=_MODES[rounding])


def parse_decimal(text: str) -> Decimal | None:
    """A finite Decimal from plain text (``1,000`` and ``10k``/``1.2m`` as people type them), or None.

    None too for what nobody means: ``1e999999`` is a finite number whose plain text fills the memory.
    """
    cleaned = text.strip().replace(",", "").replace("\u2212", "-").lower()
    factor = Decimal(1)
    if cleaned.endswith("k"):
        cleaned, factor = cleaned[:-1], Decimal(1000)
    elif cleaned.endswith("m"):
        cleaned, factor = cleaned[:-1], Decimal(1_000_000)
    try:
        value = Decimal(cleaned) * factor
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value.adjusted()) <= MOST_DIGITS else None


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency (ISO 4217). Adding two currencies is an error, not a conversion."""

    amount: Decimal
    currency: str

    def __add__(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise ValueError(f"cannot add {other.currency} to {self.currency}")
        return Money(self.amount + other.amount, self.currency)


@lru_cache(maxsize=16_384)
def plain(value: Decimal) -> str:
    """A Decimal as FIX and JSON text: no exponent, no trailing zeros, zero without sign."""
    if not value:
        return "0"
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def spelt(value: Decimal) -> str:
    """As :func:`plain`, thousands apart: a figure within a sentence for people, never one that anything reads again."""
    whole, point, fraction = plain(value).partition(".")
    return f"{int(whole):,}{point}{fraction}" if whole != "-0" else plain(value)
