"""What a great many trades of one kind are charged, in whole numbers: the same amounts as ``fees.charges``, a fraction of the work. Pure.

The lines of a schedule are worked out once into integers over one denominator: money in minor units of the currency, quantities in
10^-8 of a unit. Every line is then a straight piece by value (its tier), a floor and two caps, and one division, rounded as its schedule
says: each of these steps once for a whole column of trades.

Invariant: for every quantity and value of a column the amounts are those of ``ChargeTerms.owed``, to the minor unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import repeat
from math import floor, lcm
from typing import NamedTuple

from accounts.domain.fees import Charge, ChargeTerms, FeeSet
from kernel.columns import rows_of
from kernel.numbers import Rounding, minor_unit

UNITS = 10**8
_BPS = 10_000

Owed = Callable[[Sequence[int], Sequence[int]], list[tuple[Charge, ...]]]
"""Lines that are owed by each trade: for columns of units of 10^-8 and of the minor units they are worth (not negative)."""


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

    def owed(units: Sequence[int], values: Sequence[int]) -> list[tuple[Charge, ...]]:
        columns = []
        for figures, rounded, kind, name, version in made:
            minor = rounded(_amounts(figures, units, values), figures.by)
            amounts = map(unit.__mul__, minor)
            columns.append(rows_of(Charge, repeat(kind), repeat(name), repeat(version), amounts))
        if not columns:
            return [()] * len(units)
        return [tuple([line for line in lines if line.amount]) for lines in zip(*columns, strict=True)]

    return owed


def _amounts(figures: _Figures, units: Sequence[int], values: Sequence[int]) -> list[int]:
    """What is owed before rounding, over ``figures.by``."""
    _, pieces, per_unit, minimum, maximum, maximum_rate, above = figures
    if len(pieces) == 1:
        _, base, rate = pieces[0]
        found = [base + rate * value for value in values]
    else:
        found = [_by_tier(pieces, value) for value in values]
    if per_unit:
        found = [amount + per_unit * one for amount, one in zip(found, units, strict=True)]
    found = [amount if amount > minimum else minimum for amount in found]
    if maximum is not None:
        found = [amount if amount < maximum else maximum for amount in found]
    if maximum_rate is not None:
        found = [min(amount, maximum_rate * value) for amount, value in zip(found, values, strict=True)]
    if above >= 0 or 0 in units:
        owing = (one > 0 and value > above for one, value in zip(units, values, strict=True))
        found = [amount if owes else 0 for amount, owes in zip(found, owing, strict=True)]
    return found


def _by_tier(pieces: Sequence[tuple[int | None, int, int]], value: int) -> int:
    for up_to, base, rate in pieces:
        if up_to is None or value <= up_to:
            return base + rate * value
    return 0


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


def _half_even(amounts: Sequence[int], by: int) -> list[int]:
    found = []
    for amount in amounts:
        whole, rest = divmod(amount, by)
        found.append(whole + (2 * rest > by or (2 * rest == by and whole % 2 == 1)))
    return found


def _half_up(amounts: Sequence[int], by: int) -> list[int]:
    """Halves away from nothing, as ``decimal.ROUND_HALF_UP``; no amount is negative unless its rates are."""
    twice = 2 * by
    return [(2 * amount + by) // twice if amount >= 0 else -((by - 2 * amount) // twice) for amount in amounts]


def _up(amounts: Sequence[int], by: int) -> list[int]:
    return [-(-amount // by) for amount in amounts]


def _down(amounts: Sequence[int], by: int) -> list[int]:
    return [amount // by for amount in amounts]


_ROUNDED: dict[Rounding, Callable[[Sequence[int], int], list[int]]] = {
    Rounding.HALF_EVEN: _half_even,
    Rounding.HALF_UP: _half_up,
    Rounding.UP: _up,
    Rounding.DOWN: _down,
}
