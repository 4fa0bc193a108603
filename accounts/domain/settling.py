"""Two views of one balance: what was traded, and what is settled with what is still to come, by settlement date. Pure.

A booking whose settlement date has come is *due*, not settled: only a confirmation or a file of bank or registry settles it
(DOMAIN 2, 3), so no figure here moves by time alone. Two figures of cash are published apart:

* *to trade* = settled + pending - reserved: what the next order may use. A receipt counts from its trade on.
* *withdrawable* = settled - reserved - debts, never below zero. Debts are the settlement dates on which more is to be paid
  than received: a receipt may pay what is due the same day, and nothing else before it has come.

Invariant: position (long less short) and traded cash = settled + the sum of what is unsettled by date.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from kernel.numbers import ZERO

TO_TRADE = "Settled and pending less what open orders and withdrawals hold back."
WITHDRAWABLE = "Settled less what is held back, less the settlement dates on which more is to be paid than received."


@dataclass(frozen=True, slots=True)
class Unsettled:
    """What is to be received (+) or paid and delivered (-) on a settlement date. ``is_due``: the date has come and nobody
    has confirmed it yet."""

    settlement_date: date
    amount: Decimal
    is_due: bool


@dataclass(frozen=True, slots=True)
class DayMoves:
    """What the trades dated on a day moved, as they stand now: ``bought`` in, ``sold`` out (both positive), ``moved`` by
    anything but trades (signed). Of cash: received for sales, paid for purchases."""

    bought: Decimal = ZERO
    sold: Decimal = ZERO
    moved: Decimal = ZERO

    @property
    def net(self) -> Decimal:
        return self.bought - self.sold + self.moved


@dataclass(frozen=True, slots=True)
class CashView:
    """Cash of one currency in both views. ``day``: in ``bought`` what came in, in ``sold`` what went out."""

    currency: str
    settled: Decimal
    pending: Decimal
    reserved: Decimal
    unsettled: tuple[Unsettled, ...] = ()
    day: DayMoves = DayMoves()
    overdrawn: bool = False

    @property
    def traded(self) -> Decimal:
        """As if everything traded had settled."""
        return self.settled + self.pending

    @property
    def opening(self) -> Decimal:
        """Traded before the day, as corrected since."""
        return self.traded - self.day.net

    @property
    def to_trade(self) -> Decimal:
        return self.traded - self.reserved

    @property
    def due(self) -> Decimal:
        return due_of(self.unsettled)

    @property
    def debts(self) -> Decimal:
        """What is still to be paid, date by date, receipts of the same date counted in."""
        return -sum((min(item.amount, ZERO) for item in self.unsettled), ZERO)

    @property
    def withdrawable(self) -> Decimal:
        return max(self.settled - self.reserved - self.debts, ZERO)


@dataclass(frozen=True, slots=True)
class StockView:
    """Stock of one instrument in both views; ``short`` is a leg of its own, never a negative long."""

    instrument_id: UUID
    settled: Decimal
    pending: Decimal
    short: Decimal
    reserved: Decimal
    unsettled: tuple[Unsettled, ...] = ()
    day: DayMoves = DayMoves()
    overdrawn: bool = False

    @property
    def net(self) -> Decimal:
        """Position from executions, settled or not: long less short."""
        return self.settled + self.pending - self.short

    @property
    def opening(self) -> Decimal:
        """Position before the trades of the day, as corrected since."""
        return self.net - self.day.net

    @property
    def available(self) -> Decimal:
        """What a further sale (Side 2) may sell."""
        return max(self.net - self.reserved, ZERO)

    @property
    def due(self) -> Decimal:
        return due_of(self.unsettled)


def due_of(unsettled: Iterable[Unsettled]) -> Decimal:
    """Of it, what should have settled by now."""
    return sum((item.amount for item in unsettled if item.is_due), ZERO)
