"""Whether the scopes of an order have room for it: open orders, open value, and what is traded on one business date.

Every scope that has a mark is judged on its own usage; the worst answer stands. An order that adds nothing to a measure
passes it even when it stands above its mark already. A mark whose scope is not counted, and a value without a fresh rate,
refuse: missing data never passes. Where no mark is set, nothing is bounded; what every order must have a mark for is
``order_qty`` and ``order_notional``.
"""

from __future__ import annotations

from typing import ClassVar

from kernel.numbers import spelt
from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.checks.base import Check
from risk.domain.checks.closeness import Closeness, usage_closeness
from risk.domain.facts import Facts
from risk.domain.usage import COUNTING_CURRENCY, DAILY_GROSS, DAILY_NET, OPEN_NOTIONAL, OPEN_ORDERS, VALUE_KINDS


class UsageCheck(Check):
    """Base of the checks of one usage kind: what is measured, in words, and what the first mark asks for."""

    kind: ClassVar[str] = ""
    noun: ClassVar[str] = ""
    soft: ClassVar[Verdict] = Verdict.AUTHORISE

    def answer(self, facts: Facts) -> CheckAnswer:
        found = usage_closeness(facts, self.kind)
        if not found:
            return self.passed()
        return max((self._judge(item) for item in found), key=lambda answer: answer.verdict)

    def _judge(self, item: Closeness) -> CheckAnswer:
        where = item.place
        if item.after is None:
            return self.refuse(f"{self.noun} of {where} cannot be counted: {item.missing}.", scope=where)
        unit = f"{COUNTING_CURRENCY} " if self.kind in VALUE_KINDS else ""
        seen = {
            "scope": item.scope,
            "scope_id": item.scope_id,
            "before": item.before,
            "after": item.after,
            "warn": item.warn,
            "hard": item.hard,
            "usage_version": item.version,
        }
        if item.before is not None and item.after <= item.before:
            return self.passed(**seen)
        text = f"{self.noun} of {where} would be {unit}{spelt(item.after)}, above"
        if item.after > item.hard:
            return self.refuse(f"{text} the limit {spelt(item.hard)}.", **seen)
        if item.warn is not None and item.after > item.warn:
            return CheckAnswer(self.code, self.soft, f"{text} {spelt(item.warn)}.", seen)
        return self.passed(**seen)


class OpenOrdersLimit(UsageCheck):
    """The number of open orders of each scope stays within its limit: above the warning the dealer's reason, above the
    limit nobody."""

    kind = OPEN_ORDERS
    noun = "The number of open orders"
    soft = Verdict.ACKNOWLEDGE


class OpenNotionalLimit(UsageCheck):
    """The value of each scope's open orders, buys and sells added, stays within its limit: above the warning a second
    person, above the limit nobody."""

    kind = OPEN_NOTIONAL
    noun = "The open value"


class DailyGrossLimit(UsageCheck):
    """What each scope bought and sold on the market's business date, with all that is open, stays within its limit: above
    the warning a second person, above the limit nobody."""

    kind = DAILY_GROSS
    noun = "The gross value of the day"


class DailyNetLimit(UsageCheck):
    """What each scope bought less sold on the market's business date, with all that is open on the order's own side and
    nothing of the other, stays within its limit: above the warning a second person, above the limit nobody."""

    kind = DAILY_NET
    noun = "The net value of the day"
