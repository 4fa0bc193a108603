"""What a statement of bank or registry means for a balance: which of its difference to our settled layer is trades that have
settled, and what is left unexplained (ADR 0041). Pure; the set-based twin is ``services/_statement_sql.py``, a test holds both.

A statement says what is settled as of its cut. What we booked in the settled layer after the cut (withdrawals, deposits,
corporate actions) it cannot know and is laid over it. The difference to our settled layer is first explained by what was due:
trades whose settlement date had come. As much of the difference as they can explain moves from *pending* to *settled*, so that
what may be traded stays as it is; only the rest changes it. A trade that was due and is not in the statement stays pending.

Invariants: settled after = statement + overlay. To trade changes by the unexplained part alone: no trade is ever counted
twice, and none is lost because it failed to settle. A difference that due trades explain exactly settles all of them, the ones
that net to nothing included, so that none is left over to explain another day's difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from kernel.numbers import ZERO

WINDOW_DAYS = 31
"""A trade overdue by more than this is settled by nobody's balance: a person looks at it."""
REPLACED = frozenset({"opening", "statement", "settlement"})
"""Kinds of the settled layer that a statement takes the place of; all others are movements of their own."""


@dataclass(frozen=True, slots=True)
class Due:
    """What was to come in (>= 0) and to go out (<= 0) on a settlement date that had come, and has not settled yet."""

    settlement_date: date
    receipts: Decimal
    deliveries: Decimal


@dataclass(frozen=True, slots=True)
class Settled:
    """So much of a date's trades settles; signed as received."""

    settlement_date: date
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Explained:
    """``difference`` = ``moved`` (from pending) + ``unexplained``; ``settles`` adds up to ``moved``."""

    moved: Decimal
    unexplained: Decimal
    settles: tuple[Settled, ...]


def explain(difference: Decimal, dues: Sequence[Due]) -> Explained:
    """Lay the difference to our settled layer on what was due, the oldest first."""
    receipts = sum((due.receipts for due in dues), ZERO)
    deliveries = sum((due.deliveries for due in dues), ZERO)
    ordered = sorted(dues, key=lambda due: due.settlement_date)
    if difference == receipts + deliveries:
        whole = [Settled(d.settlement_date, amount) for d in ordered for amount in (d.receipts, d.deliveries) if amount]
        return Explained(difference, ZERO, tuple(whole))
    moved = max(min(difference, receipts), deliveries)
    left, settles = moved, []
    for due in ordered:
        part = min(left, due.receipts) if moved > 0 else max(left, due.deliveries)
        if part:
            settles.append(Settled(due.settlement_date, part))
            left -= part
    return Explained(moved, difference - moved, tuple(settles))
