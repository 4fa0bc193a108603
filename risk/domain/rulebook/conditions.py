"""One condition of a rule: a named fact, an operator, values. Judged in three ways: it holds, it does not, nobody knows.

A rule's conditions all have to hold. One that does not hold settles it; otherwise one that nobody can judge leaves the
rule unknown, and what is unknown refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

FactValue = str | Decimal


class Absent(Enum):
    """Why a fact has no value: nobody knows it (it refuses), or the order has none (the condition does not hold)."""

    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"


class Operator(Enum):
    """How a fact is compared, in the words of the form."""

    IN = "in"
    NOT_IN = "not in"
    ABOVE = "above"
    BELOW = "below"

    @property
    def takes_number(self) -> bool:
        return self in (Operator.ABOVE, Operator.BELOW)


@dataclass(frozen=True, slots=True)
class Condition:
    """``values`` are texts for in / not in, exactly one Decimal for above / below. Both bounds are strict."""

    fact: str
    operator: Operator
    values: frozenset[FactValue]

    def holds(self, value: FactValue | Absent) -> bool | None:
        """Whether it holds for this value; None when the value is unknown."""
        if isinstance(value, Absent):
            return None if value is Absent.UNKNOWN else False
        if self.operator is Operator.IN:
            return value in self.values
        if self.operator is Operator.NOT_IN:
            return value not in self.values
        (mark,) = self.values
        if not isinstance(mark, Decimal) or not isinstance(value, Decimal):
            return None  # a text was never a number: nobody can judge it
        return value > mark if self.operator is Operator.ABOVE else value < mark


@dataclass(frozen=True, slots=True)
class Applies:
    """What came of a rule's conditions: ``holds`` is None when ``unknown`` names facts that nobody knows."""

    holds: bool | None
    unknown: tuple[str, ...] = ()


def all_hold(conditions: Iterable[Condition], value_of: Callable[[str], FactValue | Absent]) -> Applies:
    """All conditions together over the named facts."""
    unknown = []
    for condition in conditions:
        held = condition.holds(value_of(condition.fact))
        if held is False:
            return Applies(False)
        if held is None:
            unknown.append(condition.fact)
    return Applies(None, tuple(unknown)) if unknown else Applies(True)
