"""What a position cost: weighted average cost, one account and instrument at a time, by one fold over its movements. Pure.

Method: a pool of units and what they cost. What adds to the position (a buy when long or flat, a sale when short or flat)
adds its money; what takes from it takes its share of the pool, rounded half-even to the minor unit, and the difference to
the money of the trade is realised. A movement that goes through zero closes the pool first and opens another with its
share of the money. Fees are in: they are part of the money of the trade they belong to, on both sides.

Movements stand in the order in which the venue made them, each with the figures in force now: a bust or correction
changes the movement of its trade, and the fold over all of them is the cost as if nothing else had ever been said.

Invariants: the sum of the money of all movements = realised - cost of the position (both signed), to the minor unit; a flat
position costs nothing; the cost has the sign of the position. Where the cost of units is not known (they were brought in
without one, or paid for in another currency) nothing is guessed: ``why`` says so until the position is flat again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from kernel.numbers import ZERO, round_money

METHOD = "weighted average cost, fees included"
COST_UNKNOWN = "COST_UNKNOWN"
SEVERAL_CURRENCIES = "SEVERAL_CURRENCIES"
WHY = {
    COST_UNKNOWN: "Units were brought in without a cost.",
    SEVERAL_CURRENCIES: "The units were paid for in several currencies.",
}


class Kind(StrEnum):
    """How a movement counts."""

    TRADE = "trade"
    BROUGHT_IN = "brought_in"
    TAKEN_OUT = "taken_out"
    RESHAPED = "reshaped"


@dataclass(frozen=True, slots=True)
class Movement:
    """``qty`` units in or out (signed) and the ``cash`` of them in ``currency`` (received +, paid -, fees included).

    Of units that were brought in, ``cash`` is minus what they had cost, None when nobody said. Units that were taken out
    leave at cost. A reshaping (split) changes units; money for fractions of them is taken off the cost.
    """

    kind: Kind
    qty: Decimal
    cash: Decimal | None
    currency: str
    key: UUID | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """Units and what they cost, signed alike (negative: short, and what was received for it); ``realised`` by currency.

    ``value`` is None while it is not known, and ``why`` says why; ``realised_whole`` is False once some of it was lost to that.
    """

    qty: Decimal
    value: Decimal | None
    currency: str
    realised: Mapping[str, Decimal] = field(default_factory=dict)
    why: str = ""
    realised_whole: bool = True

    @property
    def average(self) -> Decimal | None:
        """What one unit cost (or brought, when short) in the currency, to ten places; None when flat or not known."""
        if self.value is None or not self.qty:
            return None
        return (self.value / self.qty).quantize(Decimal("0.0000000001"))


FLAT = Cost(ZERO, ZERO, "")


def cost_of(movements: Iterable[Movement]) -> Cost:
    """The cost after all movements of one account and instrument, in the order of the venue."""
    return trail_of(movements)[-1]


def trail_of(movements: Iterable[Movement]) -> list[Cost]:
    """The cost before the first movement (flat) and after each."""
    pool = _Pool()
    trail = [pool.cost()]
    for movement in movements:
        pool.take(movement)
        trail.append(pool.cost())
    return trail


class _Pool:
    """The running pool of one fold."""

    def __init__(self) -> None:
        self.qty = ZERO
        self.value = ZERO
        self.currency = ""
        self.why = ""
        self.realised: dict[str, Decimal] = {}
        self.whole = True

    def cost(self) -> Cost:
        value = None if self.why else self.value
        return Cost(self.qty, value, self.currency, dict(self.realised), self.why, self.whole)

    def take(self, movement: Movement) -> None:
        if movement.kind is Kind.RESHAPED:
            self._reshape(movement)
        elif movement.kind is Kind.TAKEN_OUT:
            self._take_out(movement)
        elif not movement.qty:
            self._realise(movement.cash or ZERO, movement.currency)  # a fee that outlived its busted trade
        elif self.qty and (movement.qty > 0) != (self.qty > 0):
            self._close(movement)
        else:
            self._open(movement.qty, movement.cash, movement.currency)
        if not self.qty:
            self.value, self.why = ZERO, ""

    def _open(self, qty: Decimal, cash: Decimal | None, currency: str) -> None:
        if not self.qty:
            self.currency = currency
        elif currency and currency != self.currency:
            self.why = self.why or SEVERAL_CURRENCIES
        if cash is None:
            self.why = self.why or COST_UNKNOWN
        self.qty += qty
        self.value -= cash or ZERO

    def _close(self, movement: Movement) -> None:
        size = abs(movement.qty)
        closing = min(size, abs(self.qty))
        rest = size - closing
        cash, currency = movement.cash, movement.currency
        if cash is None or (currency and self.currency and currency != self.currency):
            self.why = self.why or (COST_UNKNOWN if cash is None else SEVERAL_CURRENCIES)
        paid = cash or ZERO
        cash_closing = paid if not rest else _share(paid, closing, size, currency)
        value_closing = self._leave(closing)
        if self.why:
            self.whole = False
        else:
            self._realise(cash_closing - value_closing, currency)
        self.qty += closing if self.qty < 0 else -closing
        if rest:
            self.qty, self.value, self.why = ZERO, ZERO, ""
            self._open(rest if movement.qty > 0 else -rest, None if cash is None else paid - cash_closing, currency)

    def _take_out(self, movement: Movement) -> None:
        """At cost, so nothing is realised; more than there is opens nothing that was ever paid for."""
        closing = min(abs(movement.qty), abs(self.qty)) if movement.qty * self.qty < 0 else ZERO
        self._leave(closing)
        if closing < abs(movement.qty):
            self.why = self.why or COST_UNKNOWN
        self.qty += movement.qty

    def _reshape(self, movement: Movement) -> None:
        """More or fewer units for the same money, less what fractions brought; what is left of nothing was lost."""
        paid = movement.cash or ZERO
        if paid and movement.currency != self.currency:
            self.why = self.why or SEVERAL_CURRENCIES
        self.qty += movement.qty
        self.value -= paid
        if self.why:
            return
        if not self.qty or self.value * self.qty < 0:  # more for fractions than all had cost: the rest is gained
            self._realise(-self.value, self.currency)
            self.value = ZERO

    def _leave(self, closing: Decimal) -> Decimal:
        """The share of the cost that goes with so many units; all of it with all of them."""
        share = self.value if closing == abs(self.qty) else _share(self.value, closing, abs(self.qty), self.currency)
        self.value -= share
        return share

    def _realise(self, amount: Decimal, currency: str) -> None:
        if amount:
            self.realised[currency] = self.realised.get(currency, ZERO) + amount


def _share(amount: Decimal, part: Decimal, whole: Decimal, currency: str) -> Decimal:
    return round_money(amount * part / whole, currency)
