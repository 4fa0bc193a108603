"""One order as its venue knows it: the truth that ours is measured against.

Written from the FIX specification alone and sharing nothing with our core: whole numbers instead of decimals, one
mutable object instead of facts, status by a chain of questions. If both are wrong, they are wrong for two reasons.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from venues.simulation.script import PX, QTY, Terms

DAY_ORDER, GOOD_TILL_CANCEL = "0", "1"


class Happening(NamedTuple):
    """Something that changed what was executed, in the venue's order. ``number`` is the report that told of it.

    ``verb``: trade, bust, correct (of trade ``trade``) or split (``qty`` new shares for ``px`` old ones). ``ref`` is the
    report under whose ExecID a bust or correction names its trade.
    """

    number: int
    verb: str
    trade: int
    qty: int
    px: int
    ref: int = -1


@dataclass(slots=True)
class Trade:
    """A trade at its latest version. ``exec_ids`` are all it was known by, ``numbers`` the reports that named them.

    ``factor``: shares of now for one of the day of the trade; in those of its day it is in the books of others.
    """

    qty: int
    px: int
    exec_ids: list[str]
    numbers: list[int] = field(default_factory=list)
    busted: bool = False
    corrected: bool = False
    factor: Fraction = Fraction(1)


class Asked(NamedTuple):
    """A request the venue holds and has not answered. ``label`` keys the choices made about it."""

    kind: str
    cl_ord_id: str
    orig: str
    qty: int
    px: int | None
    label: int


@dataclass(slots=True)
class VenueOrder:
    """``acked`` is "", "A" (pending new) or "0"; ``dead`` is "", "4" (canceled) or "C" (expired)."""

    name: str
    index: int
    new_cl_ord_id: str
    cl_ord_id: str
    side: str
    tif: str
    qty: int
    px: int | None
    acked: str = ""
    dead: str = ""
    rejected: bool = False
    shown_late: bool = False  # a pending request was first shown by a status answer: whose it is, is guessed
    named: bool = False  # some execution report has named it by ClOrdID and OrderID both
    taken_back: bool = False  # it said New of what it had rejected
    done_on: int = 0
    calculated: bool = False
    stopped: bool = False
    suspended: bool = False
    cancel_name: str = ""
    waiting: list[Asked] = field(default_factory=list)
    pending: list[tuple[str, str]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    trades: list[Trade] = field(default_factory=list)
    history: list[Happening] = field(default_factory=list)
    reports: list[int] = field(default_factory=list)  # numbers of all reports about it
    changes: list[int] = field(default_factory=list)  # numbers of reports that changed OrderQty
    expected: list[tuple[int, str]] = field(default_factory=list)  # (report, the anomaly it must raise)

    @property
    def cum(self) -> int:
        return sum(trade.qty for trade in self.trades)

    @property
    def notional(self) -> int:
        return sum(trade.qty * trade.px for trade in self.trades)

    @property
    def is_day(self) -> bool:
        return self.tif != GOOD_TILL_CANCEL

    @property
    def over(self) -> bool:
        """Nothing more can be done with it today by a venue that keeps its own rules."""
        return bool(self.dead) or self.rejected or self.calculated or (self.done_on > 0 and self.is_day)

    @property
    def leaves(self) -> int:
        return 0 if self.over else max(self.qty - self.cum, 0)

    def status(self, day: int) -> str:
        """OrdStatus (39) by the precedence table of the specification."""
        cum = self.cum
        kinds = [kind for _, kind in self.pending]
        if "6" in kinds:
            return "6"
        if "E" in kinds:
            return "E"
        if self.done_on and (self.is_day or self.done_on >= day):
            return "3"
        if self.calculated:
            return "B"
        if 0 < self.qty <= cum:
            return "2"
        if self.stopped:
            return "7"
        if self.suspended:
            return "9"
        if self.dead:
            return self.dead
        if cum:
            return "1"
        if self.rejected:
            return "8"
        return self.acked or "A"

    def executed(self, told: Callable[[int], bool]) -> list[tuple[int, int]]:
        """(qty, px) of every trade somebody knows of who was told of just these reports, in the order of trades."""
        return [pair for pair, _ in self.executed_since(told)]

    def executed_since(self, told: Callable[[int], bool]) -> list[tuple[tuple[int, int], Fraction]]:
        """The same, each with the shares of now that one of the day of its trade has become."""
        worth: dict[int, tuple[int, int]] = {}
        factors: dict[int, Fraction] = {}
        known: set[int] = set()
        understood: set[int] = set()
        busted: set[int] = set()
        early: dict[int, tuple[int, tuple[int, int]]] = {}
        for number, verb, trade, qty, px, ref in self.history:
            if verb == "trade":
                before, worth[trade] = early.get(trade, (number, (qty, px)))
                if told(number):
                    known.add(trade)
                    understood |= {number, before}
                    if worth[trade][0] == 0:
                        busted.add(trade)
                continue
            if ref > number:  # it came before its trade, and holds once that is reported
                if told(number):
                    early[trade] = (number, (qty, px))
                continue
            if not told(number) or (ref >= 0 and ref not in understood):
                continue  # what names a version nobody has heard of waits for it
            understood.add(number)
            if verb == "bust":
                worth[trade] = (0, worth[trade][1])
                busted.add(trade)
            elif verb == "correct":
                worth[trade] = worth[trade] if trade in busted else (qty, px)
            else:
                worth = {one: (q * qty // px, p * px // qty) for one, (q, p) in worth.items()}
                factors |= {one: factors.get(one, Fraction(1)) * Fraction(qty, px) for one in worth}
        return [(pair, factors.get(trade, Fraction(1))) for trade, pair in worth.items() if trade in known]


def half_even(numerator: int, denominator: int) -> int:
    """The nearest whole number, ties to the even one."""
    whole, rest = divmod(numerator, denominator)
    if rest * 2 > denominator or (rest * 2 == denominator and whole & 1):
        return whole + 1
    return whole


def average(notional: int, cum: int) -> int:
    """Average price in units of 10 decimal places."""
    return half_even(notional * 100, cum) if cum else 0


def cents(qty: int, px: int, divisor: int) -> int:
    """What a trade is worth in hundredths of the currency."""
    return half_even(qty * px * 100, QTY * PX * divisor)


def cents_up(qty: int, px: int, divisor: int) -> int:
    """The same, rounded up: what is held back for it."""
    return -(-(qty * px * 100) // (QTY * PX * divisor))


COMMISSION_BPS, COMMISSION_MINIMUM = 7, 500
DUTY_BPS = 50
LEVY_CENTS_A_SHARE, LEVY_CAP = 1, 50


def owed_for_a_day(trades: list[tuple[int, int]], terms: Terms) -> int:
    """What an order owes for its (quantity, price) trades of one day, in hundredths: commission on the day with a minimum,
    a buyer's duty on the day, a seller's levy on each trade, up to a cap.
    """
    if not any(qty for qty, _ in trades):
        return 0
    traded = sum(qty * px for qty, px in trades)
    owed = max(_bps_half_up(traded, COMMISSION_BPS, terms.divisor), COMMISSION_MINIMUM)
    if terms.side == "1":
        return owed + _bps_half_up(traded, DUTY_BPS, terms.divisor)
    return owed + sum(min(-(-qty * LEVY_CENTS_A_SHARE // QTY), LEVY_CAP) for qty, _ in trades)


def _bps_half_up(traded: int, bps: int, divisor: int) -> int:
    below = QTY * PX * divisor * 100
    return (2 * traded * bps + below) // (2 * below)
