"""What a corporate action entitles an account to, from what it held before the ex date. Pure and exact.

Entitlement is on the *traded* position: every booking of a trade dated before the ex date counts, settled or not, whenever
it was recorded. So a trade that is told late, corrected or busted changes the entitlement, and the difference is booked.

Invariants: the parts of a long position by layer and settlement date scale so that they add up to the scaled whole;
units after = whole shares of units before × new ÷ old; what is cut off is money at the stated price, rounded half-even once
an account; what is within a millionth of a whole share is that share, because a correction in new shares is booked in old ones to
eight decimals (ADR 0066); a dividend is (long − short) × amount, rounded half-even once. Undo wants nothing: the reversal is the
negative of what was booked, line by line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any, NamedTuple
from uuid import UUID

from accounts.domain.ledger import Layer
from kernel.numbers import ZERO, minor_unit, plain

SPLIT, DIVIDEND = "split", "dividend"
NEARLY = Fraction(1, 1_000_000)


@dataclass(frozen=True, slots=True)
class Part:
    """Units of a position in one layer that settle on one date."""

    layer: Layer
    settlement_date: date
    units: Decimal


@dataclass(frozen=True, slots=True)
class Position:
    """What an account held in the instrument by trades dated before the ex date."""

    parts: tuple[Part, ...] = ()

    @property
    def long(self) -> Decimal:
        return sum((part.units for part in self.parts if part.layer is not Layer.SHORT), ZERO)

    @property
    def short(self) -> Decimal:
        return sum((part.units for part in self.parts if part.layer is Layer.SHORT), ZERO)

    @property
    def settled(self) -> Decimal:
        return sum((part.units for part in self.parts if part.layer is Layer.SETTLED), ZERO)


class Key(NamedTuple):
    """What a line of a corporate action moves."""

    kind: str
    layer: Layer
    currency: str
    instrument_id: UUID | None
    settlement_date: date


Lines = Mapping[Key, Decimal]


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What the action comes to for one account: lines by key, and the part of a share that became money or was dropped."""

    lines: Lines
    fraction: Decimal = ZERO

    @property
    def units(self) -> Decimal:
        """Shares that come (+) or go (-), long less short."""
        return sum(
            (
                -amount if key.layer is Layer.SHORT else amount
                for key, amount in self.lines.items()
                if key.instrument_id
            ),
            ZERO,
        )

    @property
    def short_units(self) -> Decimal:
        """Change of the short leg."""
        return sum((amount for key, amount in self.lines.items() if key.layer is Layer.SHORT), ZERO)

    @property
    def cash(self) -> Decimal:
        return sum((amount for key, amount in self.lines.items() if key.currency), ZERO)


NOTHING = Entitlement({})


@dataclass(frozen=True, slots=True)
class SplitRule:
    """``new`` shares for ``old``; fractions are cash (at ``fraction_px`` of ``currency``), up or down."""

    instrument_id: UUID
    new: Decimal
    old: Decimal
    fractions: str
    fraction_px: Decimal | None
    currency: str
    ex_date: date
    pay_date: date


@dataclass(frozen=True, slots=True)
class DividendRule:
    """``amount`` of ``currency`` a share, paid on ``pay_date``."""

    instrument_id: UUID
    amount: Decimal
    currency: str
    ex_date: date
    pay_date: date


Rule = SplitRule | DividendRule


def entitlement(rule: Rule, position: Position) -> Entitlement:
    """What the position is entitled to as of the ex date."""
    if isinstance(rule, SplitRule):
        return _split(rule, position)
    money = _money(Fraction(position.long - position.short) * Fraction(rule.amount), rule.currency)
    if not money:
        return NOTHING
    return Entitlement({Key(DIVIDEND, Layer.PENDING, rule.currency, None, rule.pay_date): money})


def payment(kept: Lines) -> Entitlement:
    """The pay date: what was pending of the ex date's money becomes settled."""
    lines: dict[Key, Decimal] = {}
    for key, amount in kept.items():
        if key.currency and key.layer is Layer.PENDING:
            lines[key] = -amount
            lines[key._replace(layer=Layer.SETTLED)] = amount
    return Entitlement(lines)


def difference(wanted: Lines, kept: Lines) -> dict[Key, Decimal]:
    """What is still to be booked, by key; nothing when both agree."""
    found = {key: wanted.get(key, ZERO) - kept.get(key, ZERO) for key in wanted.keys() | kept.keys()}
    return {key: found[key] for key in sorted(found, key=str) if found[key]}


def position_of(rows: Iterable[tuple[str, date, Decimal]]) -> Position:
    """From sums of bookings by layer and settlement date; parts that are nothing are left out."""
    parts = [Part(Layer(layer), settles, units) for layer, settles, units in rows if units]
    order = {Layer.SETTLED: 0, Layer.PENDING: 1, Layer.SHORT: 2}
    return Position(tuple(sorted(parts, key=lambda part: (order[part.layer], part.settlement_date))))


def _split(rule: SplitRule, position: Position) -> Entitlement:
    lines: dict[Key, Decimal] = {}
    cut = Fraction(0)
    for sign, short in ((1, False), (-1, True)):
        parts = [part for part in position.parts if (part.layer is Layer.SHORT) == short]
        cut += sign * _scale(rule, parts, lines)
    if rule.fractions == "cash" and cut:
        money = _money(cut * Fraction(rule.fraction_px or ZERO), rule.currency)
        if money:
            lines[Key(SPLIT, Layer.PENDING, rule.currency, None, rule.pay_date)] = money
    return Entitlement(lines, _shown(cut))


def _scale(rule: SplitRule, parts: Sequence[Part], lines: dict[Key, Decimal]) -> Fraction:
    """Add the change of each part; returns what was cut off (below zero where it was rounded up).

    Running sums are rounded, not parts: so nothing is lost between settlement dates and layers.
    """
    ratio = Fraction(rule.new) / Fraction(rule.old)
    before, given = ZERO, ZERO
    for number, part in enumerate(parts, 1):
        before += part.units
        up = rule.fractions == "up" and number == len(parts)
        whole = _whole(_exact(Fraction(before) * ratio), up=up)
        change = whole - given - part.units
        given = whole
        if change:
            settles = rule.ex_date if part.layer is Layer.SETTLED else part.settlement_date
            key = Key(SPLIT, part.layer, "", rule.instrument_id, settles)
            lines[key] = lines.get(key, ZERO) + change
    return _exact(Fraction(before) * ratio) - Fraction(given)


def _exact(units: Fraction) -> Fraction:
    """Without what eight decimals of old shares leave of whole new ones."""
    return Fraction(round(units)) if abs(units - round(units)) < NEARLY else units


def _whole(value: Fraction, *, up: bool) -> Decimal:
    """Whole shares towards zero, or away from it."""
    size = abs(value)
    whole = -(-size.numerator // size.denominator) if up else size.numerator // size.denominator
    return Decimal(whole if value >= 0 else -whole)


def _money(value: Fraction, currency: str) -> Decimal:
    """Half-even to the minor unit, exactly."""
    unit = minor_unit(currency)
    return Decimal(round(value / Fraction(unit))) * unit


def _shown(value: Fraction) -> Decimal:
    """A fraction of a share as people read it: eight decimals."""
    places = Decimal("0.00000001")
    return (Decimal(value.numerator) / Decimal(value.denominator)).quantize(places, ROUND_HALF_EVEN)


def lines_to_json(lines: Lines) -> list[dict[str, Any]]:
    """As an event carries them."""
    return [
        {
            "kind": key.kind,
            "layer": key.layer.value,
            "currency": key.currency,
            "instrument_id": str(key.instrument_id) if key.instrument_id else None,
            "settlement_date": key.settlement_date.isoformat(),
            "amount": plain(amount),
        }
        for key, amount in lines.items()
    ]
