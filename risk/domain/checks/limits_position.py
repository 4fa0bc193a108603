"""Whether one account's position in the instrument may become so large: units, value, share of the account, share of volume.

The tightest mark over all scopes bounds the position on the order's own side, open orders of that side counted, those of
the other side not netted. An order that brings the position no further than it may get already passes, so that what
reduces risk passes a breached limit. A mark whose figures are missing refuses.
"""

from __future__ import annotations

from typing import ClassVar

from kernel.numbers import plain
from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.checks.base import Check
from risk.domain.checks.closeness import position_closeness
from risk.domain.facts import Facts
from risk.domain.usage import ADV_SHARE, CONCENTRATION, POSITION_QTY, POSITION_VALUE


class PositionCheck(Check):
    """Base of the checks of one position kind: how its figures read, and what the first mark asks for."""

    kind: ClassVar[str] = ""
    noun: ClassVar[str] = ""
    share: ClassVar[bool] = False
    soft: ClassVar[Verdict] = Verdict.AUTHORISE

    def answer(self, facts: Facts) -> CheckAnswer:
        item = position_closeness(facts, self.kind)
        if item is None:
            return self.passed()
        symbol, before, after = facts.listing.symbol, item.before, item.after
        if after is None or before is None:
            return self.refuse(f"{self.noun} in {symbol} cannot be judged: {item.missing}.", scope=item.scope)
        seen = {"before": before, "after": after, "warn": item.warn, "hard": item.hard, "scope": item.scope}
        if after <= before:
            return self.passed(**seen)

        def show(figure: object) -> str:
            return f"{figure:.1%}" if self.share else plain(figure)

        text = f"{self.noun} in {symbol} could become {show(after)}, above"
        if after > item.hard:
            return self.refuse(f"{text} the limit {show(item.hard)}.", **seen)
        if item.warn is not None and after > item.warn:
            return CheckAnswer(self.code, self.soft, f"{text} {show(item.warn)}.", seen)
        return self.passed(**seen)


class PositionQuantityLimit(PositionCheck):
    """The account's position in the instrument, open orders counted, stays within its limit of units: above the warning a
    second person, above the limit nobody; what reduces the position passes."""

    kind = POSITION_QTY
    noun = "The position"


class PositionValueLimit(PositionCheck):
    """The value of the account's position in the instrument, open orders counted, stays within its limit: above the warning
    a second person, above the limit nobody; what reduces the position passes."""

    kind = POSITION_VALUE
    noun = "The value of the position"


class ConcentrationLimit(PositionCheck):
    """The instrument's share of the value of all positions of the account stays within its limit: above the warning the
    dealer's reason, above the limit nobody; what reduces the position passes."""

    kind = CONCENTRATION
    noun = "The share of the account"
    share = True
    soft = Verdict.ACKNOWLEDGE


class AdvShareLimit(PositionCheck):
    """The account's position stays within a share of the instrument's average daily volume: above the warning the dealer's
    reason, above the limit nobody; what reduces the position passes."""

    kind = ADV_SHARE
    noun = "The position as a share of the daily volume"
    share = True
    soft = Verdict.ACKNOWLEDGE
