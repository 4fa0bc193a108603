"""How many messages may come from a source, go to an account or leave on a session, and what becomes of one too many.

A bucket is one moment: when it would be full again. A message moves it on by one step (window / amount); a message may
pass while the bucket is no further ahead of now than its burst allows. So one number a bucket tells rate, burst and how
long to wait, nothing has to be swept, and an idle bucket is as good as none. All figures are integers, microseconds.

Who comes through a door is refused with notice (its code, the time to wait); what waits for a session is delayed with
notice, never dropped. A share of a session's burst is for what removes risk: new orders stop where it begins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SECOND_US = 1_000_000


class RateKind(StrEnum):
    """What is counted. The first four are throttles, the fifth repeated executions, the rest circuit breakers."""

    USER = "user"
    KEY = "key"
    ACCOUNT = "account"
    SESSION = "session"
    EXECUTIONS = "executions"
    ERRORS = "errors"
    REJECTS = "rejects"
    INCONSISTENT = "inconsistent"
    LATENCY = "latency"


ENTRY_KINDS = (RateKind.USER, RateKind.KEY, RateKind.ACCOUNT)
THROTTLES = (*ENTRY_KINDS, RateKind.SESSION)
BREAKERS = (RateKind.ERRORS, RateKind.REJECTS, RateKind.INCONSISTENT, RateKind.LATENCY)

POLICY = {
    RateKind.USER: "One too many is refused at once, with how long to wait.",
    RateKind.KEY: "One too many is refused at once (429), with Retry-After.",
    RateKind.ACCOUNT: "One too many is refused at once, with how long to wait.",
    RateKind.SESSION: "Orders wait for their turn, cancels first; a share of the burst is for cancels alone.",
    RateKind.EXECUTIONS: "The source is stopped until a named person lets it go on.",
    RateKind.ERRORS: "The venue's markets are blocked for what adds risk until a named person resumes.",
    RateKind.REJECTS: "The venue's markets are blocked for what adds risk until a named person resumes.",
    RateKind.INCONSISTENT: "What adds risk is blocked until a named person resumes.",
    RateKind.LATENCY: "The venue's markets are blocked for what adds risk until a named person resumes.",
}
"""What happens at the mark, by kind: as shown beside it."""


@dataclass(frozen=True, slots=True)
class RateMark:
    """One mark: ``amount`` in ``seconds``, for one subject or (empty text) for all of the kind that have none of their own.

    Throttles: ``burst`` may come at once; ``share`` is the per cent of a session's burst that is for what removes risk.
    Breakers: ``amount`` in ``seconds`` opens, for rejects only when they are ``share`` per cent of the answers too; for
    latency ``amount`` is milliseconds to the first answer, exceeded by ``share`` per cent of at least ``burst`` messages.
    ``pause_s`` is how long a breaker stays open before it asks the venue whether it is well. ``version`` 0 is the
    house's own from the start.
    """

    kind: RateKind
    amount: int
    seconds: int
    burst: int = 0
    share: int = 0
    pause_s: int = 0
    subject: str = ""
    version: int = 0
    effective_from: datetime | None = None

    @property
    def step_us(self) -> int:
        """How far one message moves the bucket."""
        return max(self.seconds * SECOND_US // self.amount, 1)

    @property
    def room_us(self) -> int:
        """How far ahead of now the bucket may be for one more message to pass."""
        return max(self.burst - 1, 0) * self.step_us

    @property
    def kept_us(self) -> int:
        """How much of that room is kept for what removes risk."""
        return self.burst * self.share // 100 * self.step_us

    @property
    def words(self) -> str:
        """As people read it: ``20 a second, 1,000 at once``."""
        window = "a second" if self.seconds == 1 else f"in {self.seconds:,} s"
        if self.kind is RateKind.LATENCY:
            return f"{self.amount:,} ms, {self.share} % of at least {self.burst:,} {window}"
        return f"{self.amount:,} {window}" + (f", {self.burst:,} at once" if self.burst else "")


FROM_THE_START: dict[RateKind, RateMark] = {
    mark.kind: mark
    for mark in (
        RateMark(RateKind.USER, amount=50, seconds=1, burst=2_000),
        RateMark(RateKind.KEY, amount=500, seconds=1, burst=5_000),
        RateMark(RateKind.ACCOUNT, amount=200, seconds=1, burst=2_000),
        RateMark(RateKind.SESSION, amount=1_000, seconds=1, burst=1_000, share=20),
        RateMark(RateKind.EXECUTIONS, amount=10_000, seconds=60),
        RateMark(RateKind.ERRORS, amount=10, seconds=60, pause_s=30),
        RateMark(RateKind.REJECTS, amount=50, seconds=60, share=50, pause_s=30),
        RateMark(RateKind.INCONSISTENT, amount=20, seconds=60, pause_s=30),
        RateMark(RateKind.LATENCY, amount=5_000, seconds=60, burst=20, share=50, pause_s=30),
    )
}
"""What holds where nobody set a mark: there is always one, so a missing row never opens a door."""


def mark_for(marks: Iterable[RateMark], kind: RateKind, subject: str, at: datetime) -> RateMark:
    """The mark that holds at a time: the latest of the subject's own, else the latest of its kind, else the house's."""
    best: dict[str, RateMark] = {}
    for mark in marks:
        if mark.kind is not kind or mark.subject not in ("", subject):
            continue
        if mark.effective_from is not None and mark.effective_from > at:
            continue
        held = best.get(mark.subject)
        if held is None or _later(mark, held):
            best[mark.subject] = mark
    return best.get(subject) or best.get("") or FROM_THE_START[kind]


def _later(mark: RateMark, held: RateMark) -> bool:
    """In force since later; of two from the same moment the one set last."""
    since, before = mark.effective_from, held.effective_from
    if since is None or before is None or since == before:
        return mark.version > held.version
    return since > before


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bucket as it stood: how far ahead of now it is (zero when it is full of room), and the mark that holds for it."""

    subject: str
    ahead_us: int
    mark: RateMark

    @property
    def waits_us(self) -> int:
        """How long until one more message may pass; zero: now."""
        return max(self.ahead_us - self.mark.room_us, 0)

    def free(self, *, removes_risk: bool = True) -> int:
        """How many messages may pass now."""
        room = self.mark.room_us - (0 if removes_risk else self.mark.kept_us)
        return max((room - max(self.ahead_us, 0)) // self.mark.step_us + 1, 0)

    def after(self, messages: int) -> Bucket:
        """As it stands once so many more have passed."""
        return Bucket(self.subject, max(self.ahead_us, 0) + messages * self.mark.step_us, self.mark)


@dataclass(frozen=True, slots=True)
class Rates:
    """The buckets one request of a door falls into: that of whoever sent it (its actor text), and that of its account."""

    source: Bucket
    account: Bucket

    def after(self, messages: int) -> Rates:
        """As they stand once so many more have passed."""
        return Rates(self.source.after(messages), self.account.after(messages))


def account_subject(account_id: object) -> str:
    """The bucket of an account."""
    return f"account:{account_id}"


def session_subject(name: str) -> str:
    """The bucket of a FIX session."""
    return f"session:{name}"


def source_kind(subject: str) -> RateKind:
    """An API key has marks of its own; our own processes count as users."""
    return RateKind.KEY if subject.startswith("key:") else RateKind.USER
