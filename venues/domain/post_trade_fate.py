"""Whether a post-trade message that was handed over left, by evidence; and whether it may be given to the engine once more. Pure.

The engine keeps no message (ADR 0006), so what proves that one left is ours: its text as the engine made it, stored with its number, or
an answer to it. What proves that it did not arrive is theirs: a request to send its number again, which our engine answers with a gap. What
neither proves was in the hands of a process that died. Once, within a day, such a message leaves again under its own name, flagged
PossResend (97=Y), so that the other side can tell it from a second trade; after that a person asks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

AGAIN_WITHIN = timedelta(days=1)
"""Later, what it says may be undone on their side by other means: nobody expects it any more."""
POSS_RESEND = (97, "Y")


class Fate(StrEnum):
    """What became of it."""

    LEFT = "left"
    AGAIN = "again"
    NOBODY_KNOWS = "nobody knows"


@dataclass(frozen=True, slots=True)
class Copy:
    """One stored text of it as it left: its MsgSeqNum, whether flagged PossResend, whether the other side asked for its number again."""

    number: int
    flagged: bool
    asked_again: bool


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one message. ``given_again``: it was given to the engine a second time already; ``takes``: the
    counterparty's dialect takes one that is flagged."""

    answered: bool
    copies: Sequence[Copy]
    given_again: bool
    age: timedelta
    takes: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """The fate, and why as a sentence."""

    fate: Fate
    why: str = ""


def judge(evidence: Evidence) -> Judged:
    """Of a second copy only the second counts: the first is why there is one."""
    copies = [copy for copy in evidence.copies if copy.flagged or not evidence.given_again]
    if evidence.answered or any(not copy.asked_again for copy in copies):
        return Judged(Fate.LEFT)
    numbers = ", ".join(str(copy.number) for copy in copies)
    why = (
        f"It left as number {numbers}, and the other side asked for that again: it had not come."
        if copies
        else "Nothing shows that it left: the gateway ended, or the session fell, in between."
    )
    if evidence.given_again:
        return Judged(Fate.NOBODY_KNOWS, f"{why} It was sent a second time already.")
    if evidence.age > AGAIN_WITHIN:
        return Judged(Fate.NOBODY_KNOWS, f"{why} That was more than a day ago.")
    if not evidence.takes:
        return Judged(Fate.NOBODY_KNOWS, f"{why} The other side takes no repeated message.")
    return Judged(Fate.AGAIN, why)


def is_asked_for(number: int, *, begin: int, end: int) -> bool:
    """Whether a ResendRequest (35=2) from BeginSeqNo (7) to EndSeqNo (16, 0 is all) names the number."""
    return begin <= number and (end == 0 or number <= end)
