"""Why an approval could not be applied: what the checks answer now, against what they answered when it was asked. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.checks.limits import OrderNotionalLimit

VALUE_TOLERANCE = Decimal("1.05")
"""How much more than shown the effect may be worth: without any, nothing could be approved in a fast market."""


def obstacle_of(shown: Sequence[Mapping[str, Any]], now: Sequence[CheckAnswer]) -> str:
    """A check that answers worse, or a value beyond the tolerance; the empty text when nothing stands against it."""
    before = {item["code"]: item for item in shown}
    for answer in now:
        if answer.verdict > verdict_of(before.get(answer.code)):
            return f"A check answers worse than when it was shown: {answer.sentence}"
    return _grown(before, now)


def verdict_of(stored: Mapping[str, Any] | None) -> Verdict:
    """What a stored check answered; one that was not kept passed."""
    return Verdict[stored["verdict"].upper()] if stored else Verdict.PASS


def _grown(before: Mapping[str, Mapping[str, Any]], now: Sequence[CheckAnswer]) -> str:
    code = OrderNotionalLimit.code
    then = (before.get(code) or {}).get("facts", {}).get("notional")
    value = next((answer.facts.get("notional") for answer in now if answer.code == code), None)
    if then is None or value is None or Decimal(value) <= Decimal(then) * VALUE_TOLERANCE:
        return ""
    return f"The value has grown from {then} to {value} since it was shown."
