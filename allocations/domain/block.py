"""A block as the methods see it: what was executed, at which exact average, in which lots, and the seed of its ties. Pure.

Quantities are counted in units of 10^-8 (what columns hold) and in lots of the instrument; the average price is a quotient
of two integers and is rounded only where somebody says to how many places.

Invariant: the seed of a block follows from its executions alone (from its id while it has none). A dealer who dissolves a
block and makes another of the same executions gets the same ties.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from uuid import UUID

from kernel.fix import Side
from kernel.numbers import ZERO

SCALE = 8
UNITS = 10**SCALE
_EXACT = Context(prec=80)
_KEPT = 32_768
"""Figures whose other form is remembered: those of two blocks of ten thousand lines."""


class NotInUnits(ValueError):
    """A quantity has more places than a column holds."""


@lru_cache(maxsize=_KEPT)
def to_units(qty: Decimal) -> int:
    """A quantity in units of 10^-8; NotInUnits where it has finer parts than that."""
    scaled = qty.scaleb(SCALE, _EXACT)
    units = int(scaled)
    if scaled != units:
        raise NotInUnits(f"{qty} has more than {SCALE} places")
    return units


@lru_cache(maxsize=_KEPT)
def from_units(units: int) -> Decimal:
    """The inverse of :func:`to_units`."""
    return Decimal(units).scaleb(-SCALE, _EXACT)


def units_text(units: int) -> str:
    """``plain`` of :func:`from_units`, for what is not negative."""
    whole, part = divmod(units, UNITS)
    return f"{whole}.{part:08d}".rstrip("0") if part else str(whole)


@dataclass(frozen=True)
class Block:
    """Executions of one account, side, instrument, currency, capacity and settlement date that are allocated together.

    ``notional``: quantity times price over all of them, exactly, in price units, ``divisor`` of which make one of the currency.
    ``cash``: what they are booked at, each rounded for itself, signed as the account that executed sees it (a purchase is negative).
    ``order_qty``: what was ordered, of which the executions may be a part; None counts as what was executed. ``lot``: the units
    an allocation comes in. ``seed``: :func:`tie_seed`.
    """

    id: UUID
    side: Side
    qty: Decimal
    notional: Decimal
    cash: Decimal
    currency: str
    seed: bytes
    divisor: int = 1
    lot: Decimal = Decimal(1)
    order_qty: Decimal | None = None

    @cached_property
    def intended_qty(self) -> Decimal:
        """What was ordered; never less than what was executed."""
        return max(self.qty, self.order_qty or ZERO)

    @cached_property
    def avg_px(self) -> Fraction:
        """The average price, exactly; 0 of nothing."""
        return Fraction(self.notional) / Fraction(self.qty) if self.qty else Fraction(0)


def tie_seed(block_id: UUID, execution_ids: Iterable[UUID]) -> bytes:
    """32 bytes of the executions of a block in any order; of its id while there are none."""
    names = sorted(one.bytes for one in execution_ids) or [block_id.bytes]
    return hashlib.sha256(b"allocation ties\0" + b"".join(names)).digest()


def round_fraction(value: Fraction, places: Decimal) -> Decimal:
    """A quotient half-even to ``places`` (a power of ten, such as 0.01), rounded once."""
    return (places * round(value / Fraction(places))).quantize(places)


def half_even(numerator: int, denominator: int) -> int:
    """A quotient of integers to the nearest integer, halves to the even one."""
    whole, rest = divmod(numerator, denominator)
    twice = 2 * rest
    return whole + (twice > denominator or (twice == denominator and whole % 2 == 1))
