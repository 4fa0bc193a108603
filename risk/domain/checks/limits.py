"""Whether the order is within what one order may be. A missing limit refuses: no bound is not a bound of infinity."""

from __future__ import annotations

from kernel.numbers import spelt
from risk.domain.answers import CheckAnswer
from risk.domain.checks.base import Check
from risk.domain.checks.marks import tightest
from risk.domain.exposure import order_value
from risk.domain.facts import Facts

ORDER_QTY = "order_qty"
ORDER_NOTIONAL = "order_notional"


class OrderQuantityLimit(Check):
    """The quantity is within the limit for one order: above the warning a second person, above the limit nobody."""

    def answer(self, facts: Facts) -> CheckAnswer:
        bound = tightest(facts.limits, ORDER_QTY)
        if bound is None:
            return self.refuse("No quantity limit is set for this order.")
        qty = facts.terms.order_qty
        seen = {"order_qty": qty, "warn": bound.warn, "hard": bound.hard, "scope": bound.scope}
        if qty > bound.hard:
            return self.refuse(f"The quantity {spelt(qty)} is above the limit {spelt(bound.hard)}.", **seen)
        if bound.warn is not None and qty > bound.warn:
            return self.hold(f"The quantity {spelt(qty)} is above {spelt(bound.warn)}.", **seen)
        return self.passed(**seen)


class OrderNotionalLimit(Check):
    """The value is within the limit for one order in its currency: above the warning a second person, above the limit
    nobody."""

    def answer(self, facts: Facts) -> CheckAnswer:
        value = order_value(facts)
        if value is None:
            return self.refuse(f"Without a price the value of {facts.listing.symbol} cannot be judged.")
        bound = tightest(facts.limits, ORDER_NOTIONAL, value.currency)
        if bound is None:
            return self.refuse(f"No value limit in {value.currency} is set for this order.", currency=value.currency)
        seen = {
            "notional": value.amount,
            "currency": value.currency,
            "warn": bound.warn,
            "hard": bound.hard,
            "scope": bound.scope,
        }
        text = f"The value {value.currency} {spelt(value.amount)} is above"
        if value.amount > bound.hard:
            return self.refuse(f"{text} the limit {spelt(bound.hard)}.", **seen)
        if bound.warn is not None and value.amount > bound.warn:
            return self.hold(f"{text} {spelt(bound.warn)}.", **seen)
        return self.passed(**seen)
