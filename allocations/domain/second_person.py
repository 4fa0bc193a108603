"""When an allocation needs a second person, and why. Pure.

What was said before the trade, or what a second person has approved as the default of the account, is booked by one: up to a mark
of value. Everything else is compliance's word: another division than the one that was intended, one of a block that nothing was said
for, and every new division of a block that was booked already. Whoever proposes it says why.

A process books only what is intended or the default. That was approved before, so that no mark of value holds it.

A mark is compared in its own currency, by the house's exchange rates of now: a block in another currency is not let through because
its figure is small, and not held because it is large. What no fresh rate can value needs a second person, who is told so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from authorisation.domain.policy import PolicyRow
from kernel.errors import Refused
from kernel.numbers import Money, plain, round_money
from refdata.domain.fx import FxPath, FxRates, find_path
from risk.domain.usage import COUNTING_CURRENCY

DEFAULT_MARK = Money(Decimal(250_000), COUNTING_CURRENCY)
"""In the currency the firm counts in, where no policy of the kind ``allocation`` sets a mark."""


class WhyCode(StrEnum):
    """Why somebody else must look."""

    VALUE_ABOVE_MARK = "VALUE_ABOVE_MARK"
    VALUE_UNKNOWN = "VALUE_UNKNOWN"
    NOT_AS_INTENDED = "NOT_AS_INTENDED"
    NOT_THE_DEFAULT = "NOT_THE_DEFAULT"
    NOT_SAID_BEFORE = "NOT_SAID_BEFORE"
    BOOKED_BEFORE = "BOOKED_BEFORE"


OF_VALUE = frozenset({WhyCode.VALUE_ABOVE_MARK, WhyCode.VALUE_UNKNOWN})
"""Reasons that lie in the size alone: nobody chose anything, so that nobody has to say why, and they hold no process."""


class Why(NamedTuple):
    """One reason, in words that everybody may read."""

    code: WhyCode
    sentence: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a block is to be divided, as it was written down (``domain.methods``). ``scheme`` is the code of a saved one, or empty."""

    method: str
    scheme: str = ""
    lines: Sequence[Mapping[str, Any]] = ()
    parameters: Mapping[str, Any] | None = None

    def says_as(self, other: Wanted) -> bool:
        """Whether method, lines and parameters are the same, whatever they were saved as."""
        return (
            self.method == other.method
            and dict(self.parameters or {}) == dict(other.parameters or {})
            and (self.lines is other.lines or list(self.lines) == list(other.lines))
        )

    def to_json(self) -> dict[str, Any]:
        """As plain JSON: what a request carries and a block keeps."""
        return {
            "method": self.method,
            "scheme": self.scheme,
            "lines": [dict(line) for line in self.lines],
            "parameters": dict(self.parameters or {}),
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Wanted:
        """The inverse of :meth:`to_json`."""
        return cls(body["method"], body.get("scheme", ""), body.get("lines", []), body.get("parameters", {}))


@dataclass(frozen=True, slots=True)
class Worth:
    """What a block is worth, not signed, and by which rates of which moment that is said in another currency."""

    own: Money
    rates: FxRates
    at: datetime

    def path_to(self, currency: str) -> FxPath | None:
        """By which quotes; None without fresh ones."""
        try:
            return find_path(self.own.currency, currency, self.rates, at=self.at)
        except Refused:
            return None

    def within(self, currency: str) -> Decimal | None:
        """Its value there, not rounded; None without a fresh rate."""
        path = self.path_to(currency)
        return None if path is None else path.of(self.own.amount)

    @property
    def firm(self) -> Money | None:
        """Its value in the currency the firm counts in, to the minor unit; None without a fresh rate."""
        value = self.within(COUNTING_CURRENCY)
        return None if value is None else Money(round_money(value, COUNTING_CURRENCY), COUNTING_CURRENCY)

    @property
    def is_foreign(self) -> bool:
        """Whether it is in another currency than the firm counts in."""
        return self.own.currency != COUNTING_CURRENCY

    @property
    def firm_currency(self) -> str:
        """What the firm counts in."""
        return COUNTING_CURRENCY

    @property
    def quoted_at(self) -> datetime | None:
        """Of when the oldest rate is that ``firm`` is reckoned by."""
        path = self.path_to(COUNTING_CURRENCY)
        return None if path is None else path.quoted_at


def why_second_person(
    wanted: Wanted,
    *,
    worth: Worth,
    intended: Wanted | None,
    default: Wanted | None,
    booked_before: bool,
    marks: Iterable[PolicyRow],
) -> tuple[Why, ...]:
    """Every reason; none: one person may book it."""
    found = []
    said = intended or default
    if said is None:
        sentence = "Nothing was said about this block before it traded, and its account has no default."
        found.append(Why(WhyCode.NOT_SAID_BEFORE, sentence))
    elif not said.says_as(wanted):
        if intended is not None:
            found.append(Why(WhyCode.NOT_AS_INTENDED, "It differs from what was intended before the first execution."))
        else:
            found.append(Why(WhyCode.NOT_THE_DEFAULT, f"It differs from the default of the account, {said.scheme}."))
    if booked_before:
        found.append(
            Why(WhyCode.BOOKED_BEFORE, "The block was booked before: accounts would have something else than now.")
        )
    return (*found, *_of_value(worth, marks_of(marks)))


def marks_of(policies: Iterable[PolicyRow]) -> tuple[Money, ...]:
    """Above which values a second person is needed: the lowest mark of each currency, by currency."""
    lowest: dict[str, Decimal] = {}
    for row in policies:
        if row.above is not None:
            lowest[row.currency] = min(row.above, lowest.get(row.currency, row.above))
    return tuple(Money(above, currency) for currency, above in sorted(lowest.items())) or (DEFAULT_MARK,)


def _of_value(worth: Worth, marks: Iterable[Money]) -> list[Why]:
    """At most one reason: a mark that is passed, else one that nobody can say of whether it is."""
    unknown = []
    for mark in marks:
        value = worth.within(mark.currency)
        if value is None:
            unknown.append(mark)
        elif value > mark.amount:
            return [Why(WhyCode.VALUE_ABOVE_MARK, f"{_valued(worth, mark, value)} above {_figure(mark)}.")]
    if not unknown:
        return []
    own, mark = worth.own, unknown[0]
    sentence = f"No fresh rate says what {_figure(own)} is in {mark.currency}, so that nobody can say whether it is above {_figure(mark)}."
    return [Why(WhyCode.VALUE_UNKNOWN, sentence)]


def _valued(worth: Worth, mark: Money, value: Decimal) -> str:
    if worth.own.currency == mark.currency:
        return f"Its value, {_figure(worth.own)}, is"
    there = Money(round_money(value, mark.currency), mark.currency)
    return f"Its value, {_figure(worth.own)}, is {_figure(there)} now,"


def _figure(money: Money) -> str:
    return f"{Decimal(plain(money.amount)):,f} {money.currency}"
