"""How bad an item is now: the severity shown, when it escalates, and the order by harm. Pure.

Harm is severity times exposure times urgency, and urgency doubles every four hours towards the deadline and beyond. The
logarithm of that product differs between two moments by the same amount for every item, so one stored figure orders all of
them for ever: nothing is sorted anew as time passes.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

SEVERITIES = ("low", "medium", "high", "critical")
WEIGHTS = {"low": Decimal(0), "medium": Decimal(3), "high": Decimal(6), "critical": Decimal(9)}
"""Powers of two: a step of severity weighs as much as eight times the exposure, or twelve hours."""
DOUBLES_EVERY = Decimal(4 * 3600)
UNSTATED = Decimal(10_000)
"""What an item counts for whose exposure nobody stated: neither nothing nor more than what was stated to be large."""
EPOCH = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
STEP = Decimal("0.0001")

LEVELS = ("nobody", "its owner", "its group", "the head")
HEAD = 3
SHARES = {1: Decimal("0.5"), 2: Decimal(1), HEAD: Decimal(2)}
"""At which share of its time an item escalates to each level."""


def harm(*, severity: str, exposure: Decimal | None, due_at: datetime) -> Decimal:
    """The figure that orders items by harm, larger is worse."""
    with localcontext() as context:
        context.prec = 28
        at_stake = max(abs(exposure if exposure is not None else UNSTATED), Decimal(1))
        weight = WEIGHTS[severity] + at_stake.ln() / Decimal(2).ln()
        late = Decimal(int((due_at - EPOCH).total_seconds())) / DOUBLES_EVERY
        return (weight - late).quantize(STEP, rounding=ROUND_HALF_EVEN)


def worse(one: str, other: str) -> str:
    """The graver of two severities."""
    return max(one, other, key=SEVERITIES.index)


def shown_severity(severity: str, level: int) -> str:
    """The severity people see: each level above the owner raises it by one, it is never lowered."""
    return SEVERITIES[min(SEVERITIES.index(severity) + max(level - 1, 0), len(SEVERITIES) - 1)]


def share_of(sla: timedelta, level: int) -> timedelta:
    """How much working time passes before an item reaches the level."""
    return timedelta(seconds=int(Decimal(int(sla.total_seconds())) * SHARES[level]))
