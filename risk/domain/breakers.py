"""Circuit breakers: when a session, a venue or the firm stops by itself, how it is tried, and how it goes on. Pure.

Closed: trade. Open: what adds risk is blocked, human cancels and questions pass. Half open: still blocked; the venue is
asked for the status of an order (35=H), never sent a client's order. Only a named person closes it, and only after the
venue has answered. One table below is the model's transitions, the trigger and the diagram.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from risk.domain.rates import RateKind, RateMark

CLOSED, OPEN, HALF_OPEN = "closed", "open", "half_open"
FIRM = "firm"
LONGEST_PAUSE = timedelta(minutes=15)
ANSWER_WITHIN = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Move:
    """One allowed move; ``why`` is the line under the arrow."""

    name: str
    source: str
    target: str
    why: str


MOVES: tuple[Move, ...] = (
    Move("trip", CLOSED, OPEN, "a mark was passed"),
    Move("probe", OPEN, HALF_OPEN, "its pause is over and nothing new went wrong"),
    Move("reopen", HALF_OPEN, OPEN, "a mark was passed again, or the question was not answered"),
    Move("resume", HALF_OPEN, CLOSED, "the venue answered, and a second person let it go on"),
)
BY_NAME = {move.name: move for move in MOVES}
PAIRS = tuple((move.source, move.target) for move in MOVES)


def diagram() -> str:
    """The table as Mermaid text, no code fence."""
    lines = ["stateDiagram-v2", f"    [*] --> {CLOSED}"]
    lines.extend(f"    {move.source} --> {move.target}: {move.why}" for move in MOVES)
    return "\n".join(lines) + "\n"


class Happened(StrEnum):
    """What is counted on a session."""

    ERROR = "error"  # a session or business reject, or a logon once more
    REJECT = "reject"
    ANSWER = "answer"  # an acknowledgement or a replaced
    INCONSISTENT = "inconsistent"
    SENT = "sent"  # an order or replace; ``ms`` to its first answer, or so far without one


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that happened."""

    what: Happened
    at: datetime
    ms: int = 0


def cause_of(kind: RateKind, seen: Sequence[Seen], mark: RateMark, *, since: datetime) -> str:
    """Why a breaker of the kind opens now, in a sentence; empty when its mark is not passed. Only what is after ``since`` counts."""
    count = {what: sum(one.what is what and one.at > since for one in seen) for what in Happened}
    window = f"in {mark.seconds:,} s"
    if kind is RateKind.ERRORS:
        errors = count[Happened.ERROR]
        return f"{errors:,} errors of the session {window} (mark {mark.amount:,})." if errors >= mark.amount else ""
    if kind is RateKind.INCONSISTENT:
        found = count[Happened.INCONSISTENT]
        sentence = f"{found:,} statuses that contradict each other {window} (mark {mark.amount:,})."
        return sentence if found >= mark.amount else ""
    if kind is RateKind.REJECTS:
        rejects = count[Happened.REJECT]
        answers = rejects + count[Happened.ANSWER]
        passed = rejects >= mark.amount and rejects * 100 >= mark.share * answers
        sentence = (
            f"{rejects:,} of {answers:,} answers {window} were rejects (mark {mark.amount:,} and {mark.share} %)."
        )
        return sentence if passed else ""
    sent = [one.ms for one in seen if one.what is Happened.SENT and one.at > since]
    late = sum(ms > mark.amount for ms in sent)
    if len(sent) < max(mark.burst, 1) or late * 100 < mark.share * len(sent) or not late:
        return ""
    return f"{late:,} of {len(sent):,} messages {window} had no answer within {mark.amount:,} ms (mark {mark.share} %)."


def mark_of(mark: RateMark, subject: str) -> RateMark:
    """The firm as a whole stops at twice what stops a session, unless it was given a mark of its own."""
    return replace(mark, amount=mark.amount * 2) if subject == FIRM and not mark.subject else mark


def pause_after(openings: int, mark: RateMark) -> timedelta:
    """How long it stays open before the venue is asked: doubled each time it opened again, up to a quarter of an hour."""
    doublings = min(max(openings - 1, 0), 10)
    return min(timedelta(seconds=max(mark.pause_s, 1) << doublings), LONGEST_PAUSE)


def source_of(kind: str, subject: str) -> str:
    """The source of its blocks."""
    return f"breaker:{kind}:{subject}"
