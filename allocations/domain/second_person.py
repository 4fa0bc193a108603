"""When an allocation needs a second person, and why. Pure.

What was said before the trade, or what a second person has approved as the default of the account, is booked by one: up to a mark
of value. Everything else is compliance's word: another division than the one that was intended, one of a block that nothing was said
for, and every new division of a block that was booked already. Whoever proposes it says why.

A process books only what is intended or the default. That was approved before, so that no mark of value holds it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, NamedTuple

from authorisation.domain.policy import PolicyRow
from kernel.canonical import payload_hash
from kernel.numbers import plain

DEFAULT_MARK = Decimal(250_000)
"""In the currency of the block, where no policy of the kind ``allocation`` sets a mark."""


class WhyCode(StrEnum):
    """Why somebody else must look."""

    VALUE_ABOVE_MARK = "VALUE_ABOVE_MARK"
    NOT_AS_INTENDED = "NOT_AS_INTENDED"
    NOT_THE_DEFAULT = "NOT_THE_DEFAULT"
    NOT_SAID_BEFORE = "NOT_SAID_BEFORE"
    BOOKED_BEFORE = "BOOKED_BEFORE"


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

    @property
    def digest(self) -> str:
        """Equal for the same method, lines and parameters, whatever they were saved as."""
        return payload_hash(
            {"method": self.method, "lines": list(self.lines), "parameters": dict(self.parameters or {})}
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


def why_second_person(
    wanted: Wanted,
    *,
    value: Decimal,
    currency: str,
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
    elif said.digest != wanted.digest:
        if intended is not None:
            found.append(Why(WhyCode.NOT_AS_INTENDED, "It differs from what was intended before the first execution."))
        else:
            found.append(Why(WhyCode.NOT_THE_DEFAULT, f"It differs from the default of the account, {said.scheme}."))
    if booked_before:
        found.append(
            Why(WhyCode.BOOKED_BEFORE, "The block was booked before: accounts would have something else than now.")
        )
    mark = mark_for(currency, marks)
    if value > mark:
        found.append(Why(WhyCode.VALUE_ABOVE_MARK, f"Its value is above {plain(mark)} {currency}."))
    return tuple(found)


def mark_for(currency: str, marks: Iterable[PolicyRow]) -> Decimal:
    """Above which value a second person is needed: the lowest mark of the policies; a mark in another currency is always passed."""
    set_marks = [row for row in marks if row.above is not None]
    if not set_marks:
        return DEFAULT_MARK
    return min(row.above if row.currency == currency and row.above is not None else Decimal(0) for row in set_marks)
