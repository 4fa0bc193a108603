"""What a trade is charged: commissions, exchange fees, duties and taxes by dated schedules. Pure.

What is owed for an order on a trade date is a function of what it effectively executed that day, and of nothing else: what
is booked is the difference to what was booked before, so the order of arrival cannot matter, a minimum is paid once and a bust
takes back exactly what its trade had cost. A charge by execution (a cap for each trade) is a function of that execution.

Invariants: an amount is rounded once, by the rounding its schedule names, to the minor unit of the currency it is charged
in; nothing executed owes nothing; an order keeps the terms it is charged by, so a later schedule changes no past day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Context, Decimal
from enum import StrEnum
from functools import lru_cache
from typing import Any, NamedTuple

import orjson

from kernel.numbers import ZERO, Rounding, plain, round_as

_EXACT = Context(prec=60)
_BPS = Decimal(10_000)


class ChargeKind(StrEnum):
    """What a charge is; also the kind of its booking."""

    COMMISSION = "commission"
    FEE = "fee"
    TAX = "tax"


class Basis(StrEnum):
    """What a charge is computed on: all that an order executes in a day, or each execution alone."""

    ORDER_DAY = "order_day"
    EXECUTION = "execution"


@dataclass(frozen=True, slots=True)
class Tier:
    """Of the value up to ``up_to`` (None: all the rest) that no tier before it took, ``bps`` basis points."""

    up_to: Decimal | None
    bps: Decimal


@dataclass(frozen=True, slots=True)
class ChargeTerms:
    """One line of a schedule at one version. Amounts in ``currency``, rates in basis points of the value.

    ``flat`` + ``per_share`` x quantity + ``bps`` x value + tiers, at least ``minimum``, at most ``maximum`` and at most
    ``maximum_bps`` of the value (the caps win). A value not above ``above`` owes nothing.
    """

    name: str
    version: int
    kind: ChargeKind
    basis: Basis
    rounding: Rounding
    currency: str
    flat: Decimal = ZERO
    per_share: Decimal = ZERO
    bps: Decimal = ZERO
    tiers: tuple[Tier, ...] = ()
    minimum: Decimal = ZERO
    maximum: Decimal | None = None
    maximum_bps: Decimal | None = None
    above: Decimal = ZERO

    @property
    def is_free(self) -> bool:
        """Whether it says that nothing is charged."""
        return not (self.flat or self.per_share or self.bps or self.tiers or self.minimum)

    def owed(self, qty: Decimal, value: Decimal, *, currency: str, whole: Decimal | None = None) -> Decimal:
        """What ``qty`` units worth ``value`` in ``currency`` owe, rounded.

        ``whole`` is the value to hold against ``above`` where that is more than ``value``: of the order they are the rest of.
        """
        if qty <= 0 or (self.above and (value if whole is None else whole) <= self.above):
            return ZERO
        amount = max(self.flat + self.per_share * qty + self.bps * value / _BPS + self._tiered(value), self.minimum)
        if self.maximum is not None:
            amount = min(amount, self.maximum)
        if self.maximum_bps is not None:
            amount = min(amount, self.maximum_bps * value / _BPS)
        return round_as(amount, currency, self.rounding)

    def _tiered(self, value: Decimal) -> Decimal:
        amount, taken = ZERO, ZERO
        for tier in self.tiers:
            reach = value if tier.up_to is None else min(value, tier.up_to)
            if reach > taken:
                amount += (reach - taken) * tier.bps / _BPS
                taken = reach
        return amount


FeeSet = tuple[ChargeTerms, ...]
"""The lines an order is charged by. Empty: it is charged nothing, which a schedule says."""


class Charge(NamedTuple):
    """One line of what is owed, or of what is booked now: ``amount`` is a cost (positive), or less of one (negative)."""

    kind: str
    name: str
    version: int
    amount: Decimal


def charges(
    terms: FeeSet, *, qty: Decimal, value: Decimal, currency: str, whole: Decimal | None = None
) -> list[Charge]:
    """Every line that ``qty`` units worth ``value`` owe if they are executed as one trade of one day."""
    found = [
        Charge(one.kind.value, one.name, one.version, one.owed(qty, value, currency=currency, whole=whole))
        for one in terms
    ]
    return [charge for charge in found if charge.amount]


def worst_case(terms: FeeSet, *, qty: Decimal, value: Decimal, currency: str, whole: Decimal) -> Decimal:
    """What is reserved for the rest of an order: all lines of ``qty`` units worth ``value``, executed as one trade of a day
    on which nothing of the order was executed before; thresholds are held against the ``whole`` order.

    More days, or many executions under a charge by execution with a minimum, can cost more: a fact like any other.
    """
    return sum((one.owed(qty, value, currency=currency, whole=whole) for one in terms), ZERO)


class Traded(NamedTuple):
    """Effective quantity and price of an execution, in units and in the price unit."""

    qty: Decimal
    px: Decimal


class Day(NamedTuple):
    """What an order has executed on one trade date and what is booked for it, by line; ``terms`` is the place of its set."""

    terms: int
    qty: Decimal
    notional: Decimal
    booked: Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class OrderFees:
    """What an order is charged by, and what came of it by trade date. Kept with the order.

    ``sets`` are all the terms it was ever charged by; ``current`` is the place of those its rest would be charged by, decided
    for the trade date ``as_of``.
    """

    sets: tuple[FeeSet, ...] = ()
    current: int = 0
    as_of: date | None = None
    days: Mapping[date, Day] = field(default_factory=dict)

    @property
    def terms(self) -> FeeSet:
        """What the rest of the order would be charged by."""
        return self.sets[self.current] if self.sets else ()

    def is_decided(self, day: date) -> bool:
        """Whether it is decided by what the order is charged on ``day``."""
        return day == self.as_of or day in self.days

    def decided(self, day: date, terms: FeeSet) -> OrderFees:
        """Charged by ``terms`` on ``day``; by those from then on, unless a later day was decided before."""
        sets = self.sets if terms in self.sets else (*self.sets, terms)
        place = sets.index(terms)
        if self.as_of is None or day > self.as_of:
            return OrderFees(sets, place, day, self.days)
        return OrderFees(sets, self.current, self.as_of, {**self.days, day: Day(place, ZERO, ZERO, {})})

    def day(self, day: date) -> Day | None:
        """What there is of ``day``; a day of nothing yet where something is charged on it, else None."""
        had = self.days.get(day) or Day(self.current, ZERO, ZERO, {})
        return had if self.sets and self.sets[had.terms] else None

    def traded(
        self, day: date, before: Traded, after: Traded, *, divisor: int, currency: str
    ) -> tuple[OrderFees, list[Charge]]:
        """After an execution of ``day`` went from ``before`` to ``after``, and what is to be booked for that now."""
        had = self.day(day)
        if had is None:
            return self, []
        terms = self.sets[had.terms]
        qty = _EXACT.add(had.qty, _EXACT.subtract(after.qty, before.qty))
        notional = _EXACT.add(had.notional, _EXACT.subtract(_notional(after), _notional(before)))
        booked, found = dict(had.booked), []
        for one in terms:
            held = booked.get(one.name, ZERO)
            if one.basis is Basis.ORDER_DAY:
                owed = one.owed(qty, notional / divisor, currency=currency)
            else:
                was = one.owed(before.qty, _notional(before) / divisor, currency=currency)
                owed = held - was + one.owed(after.qty, _notional(after) / divisor, currency=currency)
            if owed != held:
                booked[one.name] = owed
                found.append(Charge(one.kind.value, one.name, one.version, owed - held))
        day_after = Day(had.terms, qty, notional, {name: amount for name, amount in booked.items() if amount})
        return OrderFees(self.sets, self.current, self.as_of, {**self.days, day: day_after}), found

    @property
    def booked(self) -> Decimal:
        """All that is booked for the order."""
        return sum((amount for day in self.days.values() for amount in day.booked.values()), ZERO)


NO_FEES = OrderFees()


def _notional(traded: Traded) -> Decimal:
    return _EXACT.multiply(traded.qty, traded.px)


def fees_to_json(fees: OrderFees) -> dict[str, Any]:
    """As plain JSON: what the order's row keeps."""
    if fees.as_of is None:
        return {}
    return {
        "sets": [terms_to_json(terms) for terms in fees.sets],
        "current": fees.current,
        "as_of": fees.as_of.isoformat(),
        "days": {day.isoformat(): _day_to_json(held) for day, held in sorted(fees.days.items())},
    }


def _day_to_json(held: Day) -> list[Any]:
    booked = {name: plain(amount) for name, amount in sorted(held.booked.items())}
    return [held.terms, plain(held.qty), plain(held.notional), booked]


def fees_from_json(body: Mapping[str, Any]) -> OrderFees:
    """The inverse of :func:`fees_to_json`."""
    if not body:
        return NO_FEES
    return OrderFees(
        tuple(terms_from_json(terms) for terms in body["sets"]),
        body["current"],
        date.fromisoformat(body["as_of"]),
        {date.fromisoformat(day): _day_from_json(*row) for day, row in body["days"].items()},
    )


def _day_from_json(terms: int, qty: str, notional: str, booked: Mapping[str, str]) -> Day:
    return Day(terms, Decimal(qty), Decimal(notional), {name: Decimal(amount) for name, amount in booked.items()})


_AMOUNTS = ("flat", "per_share", "bps", "minimum", "above")
_CAPS = ("maximum", "maximum_bps")


def terms_to_json(terms: FeeSet) -> list[dict[str, Any]]:
    """Terms as plain JSON: only what they say is in it."""
    return [dict(line) for line in _lines(terms)]


@lru_cache(maxsize=1024)
def _lines(terms: FeeSet) -> tuple[dict[str, Any], ...]:
    return tuple(_line(one) for one in terms)


def _line(one: ChargeTerms) -> dict[str, Any]:
    line: dict[str, Any] = {
        "name": one.name,
        "version": one.version,
        "kind": one.kind.value,
        "basis": one.basis.value,
        "rounding": one.rounding.value,
        "currency": one.currency,
    }
    line |= {name: plain(getattr(one, name)) for name in _AMOUNTS if getattr(one, name)}
    line |= {name: plain(getattr(one, name)) for name in _CAPS if getattr(one, name) is not None}
    if one.tiers:
        line["tiers"] = [[plain(tier.up_to) if tier.up_to is not None else None, plain(tier.bps)] for tier in one.tiers]
    return line


def terms_from_json(lines: list[dict[str, Any]]) -> FeeSet:
    """The inverse of :func:`terms_to_json`; equal lines are read once."""
    return _terms_of(orjson.dumps(lines)) if lines else ()


@lru_cache(maxsize=1024)
def _terms_of(text: bytes) -> FeeSet:
    return tuple(_terms(line) for line in orjson.loads(text))


def _terms(line: Mapping[str, Any]) -> ChargeTerms:
    return ChargeTerms(
        name=line["name"],
        version=line["version"],
        kind=ChargeKind(line["kind"]),
        basis=Basis(line["basis"]),
        rounding=Rounding(line["rounding"]),
        currency=line["currency"],
        tiers=tuple(Tier(Decimal(up) if up is not None else None, Decimal(bps)) for up, bps in line.get("tiers", [])),
        **{name: Decimal(line[name]) for name in (*_AMOUNTS, *_CAPS) if name in line},
    )
