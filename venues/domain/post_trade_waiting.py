"""How long the other side may take to say that it has a post-trade message of ours, before a person is told. Pure.

An affirmation is no such answer: it has hours, and its own clock (the cut-off of the market, kept by who confirms).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from kernel.post_trade import MessageKind

ANSWER_WITHIN = {
    MessageKind.ALLOCATION_INSTRUCTION: timedelta(seconds=60),
    MessageKind.ALLOCATION_REPORT: timedelta(seconds=60),
}


def answer_by(kind: MessageKind, at: datetime) -> datetime | None:
    """When silence becomes somebody's matter; None for what needs no answer."""
    allowed = ANSWER_WITHIN.get(kind)
    return None if allowed is None else at + allowed
