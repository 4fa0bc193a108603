"""Quantities and prices inside the simulator are whole numbers of 1e-8, so that a book is exact and fast.

Text and Decimal exist only at its edges; nothing here ever becomes a float.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

SCALE = 100_000_000
PLACES = 8
LONGEST = 24

_AVG_PLACES = Decimal("0.0000000001")


def parse_units(text: str) -> int:
    """Units of 1e-8 in plain decimal text such as ``98.42``.

    Raises ValueError when the text is not a finite decimal, is longer than 24 characters or needs more than 8 places.
    """
    if len(text) > LONGEST:
        raise ValueError(f"{text[:LONGEST]}… is too long for a number")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    return to_units(value)


def to_units(value: Decimal) -> int:
    """Units of 1e-8 in a Decimal. Raises ValueError when it is not finite or needs more than 8 places."""
    if not value.is_finite():
        raise ValueError(f"{value} is not a finite number")
    scaled = value.scaleb(PLACES)
    whole = int(scaled)
    if whole != scaled:
        raise ValueError(f"{value} needs more than {PLACES} places")
    return whole


def to_decimal(units: int) -> Decimal:
    """The Decimal a number of units stands for."""
    return Decimal(units).scaleb(-PLACES)


def to_text(units: int) -> str:
    """Plain decimal text of a number of units: no exponent, no trailing zeros."""
    sign = "-" if units < 0 else ""
    whole, rest = divmod(abs(units), SCALE)
    if not rest:
        return f"{sign}{whole}"
    return f"{sign}{whole}.{rest:08d}".rstrip("0")


def average_text(value_units: int, qty_units: int) -> str:
    """Average price as text to 10 places (half-even) from the sum of price x quantity; ``0`` when nothing traded."""
    if qty_units == 0:
        return "0"
    average = (
        (Decimal(value_units) / Decimal(qty_units)).scaleb(-PLACES).quantize(_AVG_PLACES, rounding=ROUND_HALF_EVEN)
    )
    text = format(average, "f").rstrip("0").rstrip(".")
    return text or "0"
