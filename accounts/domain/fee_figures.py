"""What a great many trades of one kind are charged, in whole numbers: the same amounts as ``fees.charges``, a tenth of the work. Pure.

The lines of a schedule are worked out once into integers over one denominator: money in minor units of the currency, quantities in
10^-8 of a unit. Every line is then a straight piece by value (its tier), a floor and two caps, and one division, rounded as its schedule
says.

Invariant: for every quantity and value of a column the amounts are those of ``ChargeTerms.owed``, to the minor unit.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from math import floor, lcm
from typing import NamedTuple

from accounts.domain.fees import Charge, ChargeTerms, FeeSet
from kernel.numbers import Rounding, minor_unit

UNITS = 10**8
_BPS = 10_000

Owed = Callable[[int, int], tuple[Charge, ...]]
"""Lines that are owed for units of 10^-8 that are worth so many minor units (not negative)."""


class _Piece(NamedTuple):
    """Up to a value of ``up_to`` minor units (None: any): ``base`` and ``rate`` for each minor unit."""

    up_to: int | None
    base: Fraction
    rate: Fraction


class _Figures(NamedTuple):
    """A line in integers over ``by``. ``maximum`` and ``maximum_rate``: None where there is no cap; ``above`` -1 where any value owes."""

    by: int
    pieces: tuple[tuple[int | None, int, int], ...]
    per_unit: int
    minimum: int
    maximum: int | None
    maximum_rate: int | None
    above: int


@lru_cache(maxsize=256)
def owed_by(terms: FeeSet, currency: str) -> Owed:
    """The function of the schedule's lines, worked out once."""
    unit = minor_unit(currency)
    made = [(_figures(one, unit), _ROUNDED[one.rounding], one.kind.value, one.name, one.version) for one in terms]

    def owed(units: int, value: int) -> tuple[Charge, ...]:
        found = []
        for figures, rounded, kind, name, version in made:
            minor = rounded(*_amount(figures, units, value)) if units > 0 else 0
            if minor:
                found.append(Charge(kind, name, version, unit * minor))
        return tuple(found)

    return owed


def _amount(figures: _Figures, units: int, value: int) -> tuple[int, int]:
    """What is owed before rounding, as a quotient."""
    by, pieces, per_unit, minimum, maximum, maximum_rate, above = figures
    if value <= above:
        return 0, 1
    amount = 0
    for up_to, base, rate in pieces:
        if up_to is None or value <= up_to:
            amount = base + rate * value
            break
    amount = max(amount + per_unit * units, minimum)
    if maximum is not None and amount > maximum:
        amount = maximum
    if maximum_rate is not None:
        amount = min(amount, maximum_rate * value)
    return amount, by


def _figures(terms: ChargeTerms, unit: Decimal) -> _Figures:
    one = Fraction(unit)
    pieces = _pieces(terms, one)
    per_unit, minimum = Fraction(terms.per_share) / one / UNITS, Fraction(terms.minimum) / one
    maximum = None if terms.maximum is None else Fraction(terms.maximum) / one
    rate = None if terms.maximum_bps is None else Fraction(terms.maximum_bps) / _BPS
    parts = [per_unit, minimum, *(part for piece in pieces for part in (piece.base, piece.rate))]
    by = lcm(*(part.denominator for part in (*parts, *(cap for cap in (maximum, rate) if cap is not None))))
    return _Figures(
        by,
        tuple((up_to, int(base * by), int(rate * by)) for up_to, base, rate in pieces),
        int(per_unit * by),
        int(minimum * by),
        None if maximum is None else int(maximum * by),
        None if rate is None else int(rate * by),
        floor(Fraction(terms.above) / one) if terms.above else -1,
    )


def _pieces(terms: ChargeTerms, one: Fraction) -> list[_Piece]:
    """Flat amount, rate and tiers as straight pieces by value; what no tier takes costs no more than the last one."""
    base, rate = Fraction(terms.flat) / one, Fraction(terms.bps) / _BPS
    found: list[_Piece] = []
    taken = Fraction(0)
    for tier in terms.tiers:
        per = Fraction(tier.bps) / _BPS
        if tier.up_to is None:
            found.append(_Piece(None, base - taken * per, rate + per))
            return found
        reach = Fraction(tier.up_to) / one
        if reach > taken:
            found.append(_Piece(floor(reach), base - taken * per, rate + per))
            base += (reach - taken) * per
            taken = reach
    found.append(_Piece(None, base, rate))
    return found


def _half_even(amount: int, by: int) -> int:
    whole, rest = divmod(amount, by)
    twice = 2 * rest
    return whole + (twice > by or (twice == by and whole % 2 == 1))


def _half_up(amount: int, by: int) -> int:
    """Halves away from nothing, as ``decimal.ROUND_HALF_UP``; no amount is negative unless its rates are."""
    size = (2 * abs(amount) + by) // (2 * by)
    return size if amount >= 0 else -size


def _up(amount: int, by: int) -> int:
    return -(-amount // by)


def _down(amount: int, by: int) -> int:
    return amount // by


_ROUNDED: dict[Rounding, Callable[[int, int], int]] = {
    Rounding.HALF_EVEN: _half_even,
    Rounding.HALF_UP: _half_up,
    Rounding.UP: _up,
    Rounding.DOWN: _down,
}
