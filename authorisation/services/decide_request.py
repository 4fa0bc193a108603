"""How every kind of request is decided: one frame, one transaction, and the subject's room fills in what is its own.

The request is locked first, then what it is about; then it is asked who may decide, and the word is kept. The last
approval needed is applied on the facts of now: where they do not allow it, nothing of the attempt is kept, and the request
ends approved but not applied, with the reason. What breaks an invariant, or cannot be known now, decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar
from uuid import UUID

from django.db import transaction

from authorisation.domain.four_eyes import APPROVE, RequestFacts, is_visible, require_decidable, require_verdict
from authorisation.domain.principal import Principal
from authorisation.locks import lock_request
from authorisation.services.note_self_approval import note_self_approval
from authorisation.services.record_decision import RecordedDecision, record_decision
from kernel.errors import InvariantBroken, NotFound, NotPermitted, OmsError, Refused, Unavailable

APPLIED, NOT_APPLIED, DECLINED, RECORDED = "applied", "not_applied", "declined", "recorded"
Case = TypeVar("Case")


@dataclass(frozen=True, slots=True)
class Decided:
    """What came of a checker's word: applied, not_applied (approved, but the world no longer allows it), declined, or
    recorded (approved, and more people must say so). ``checks`` are the answers of a second run, where there is one."""

    authorisation_id: UUID
    outcome: str
    sentence: str
    checks: tuple[Any, ...] = ()


class NotApplied(Refused):
    """Raised by ``apply``: the facts of now do not allow what was approved."""

    def __init__(self, sentence: str, checks: tuple[Any, ...] = ()) -> None:
        super().__init__("APPROVED_NOT_APPLIED", sentence)
        self.checks = checks


@dataclass(frozen=True, slots=True)
class Asking:
    """A decision that is being made: about what, by whom, when, and what is said."""

    facts: RequestFacts
    actor: Principal
    at: datetime
    verdict: str
    reason_code: str
    reason: str

    @property
    def payload(self) -> Any:
        """What was asked."""
        return self.facts.payload


@dataclass(frozen=True, slots=True)
class Applied:
    """What was done, in one sentence."""

    sentence: str
    checks: tuple[Any, ...] = ()


def _nothing(asking: Asking, case: Any, why: str) -> None:
    """Most kinds hold nothing back while they wait."""


def _nobody_else(asking: Asking, case: Any) -> None:
    """Most kinds know no more rules about who decides."""


@dataclass(frozen=True, slots=True)
class Subject(Generic[Case]):
    """What a kind's room knows of it.

    ``load`` locks what it is about in the house's order, and raises NotFound where the actor may not see it; ``guard``
    raises NotPermitted for whom the kind itself keeps from deciding; ``apply`` does it, or raises: then nothing of it is
    kept; ``give_up`` ends what waited when it was not done; ``decline`` does so when somebody said no, and says what is.
    """

    kind: str
    load: Callable[[Asking], Case]
    apply: Callable[[Asking, Case], Applied]
    decline: Callable[[Asking, Case], str]
    give_up: Callable[[Asking, Case, str], None] = field(default=_nothing)
    guard: Callable[[Asking, Case], None] = field(default=_nobody_else)

    def decide(
        self,
        *,
        actor: Principal,
        at: datetime,
        authorisation_id: UUID,
        verdict: str,
        reason_code: str,
        reason: str,
        payload_hash: str,
    ) -> Decided:
        """``decide_request`` about this subject: the service of each kind is this method of its own."""
        return decide_request(
            subject=self,
            actor=actor,
            at=at,
            authorisation_id=authorisation_id,
            verdict=verdict,
            reason_code=reason_code,
            reason=reason,
            payload_hash=payload_hash,
        )


def decide_request(
    *,
    subject: Subject[Case],
    actor: Principal,
    at: datetime,
    authorisation_id: UUID,
    verdict: str,
    reason_code: str,
    reason: str,
    payload_hash: str,
) -> Decided:
    """Approve or decline. ``payload_hash`` is that of what the checker looked at.

    Raises NotFound, Invalid VERDICT_INVALID, and what ``record_decision`` raises; then nothing changed, but an attempt to
    decide one's own request is kept.
    """
    require_verdict(verdict, reason_code, reason)
    try:
        with transaction.atomic():
            facts = lock_request(authorisation_id)
            if facts.kind != subject.kind or not is_visible(facts, actor):
                raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
            asking = Asking(facts, actor, at, verdict, reason_code, reason)
            case = subject.load(asking)
            require_decidable(facts, actor, at, payload_hash=payload_hash)
            subject.guard(asking, case)
            return _decide(subject, asking, case)
    except NotPermitted as refused:
        if refused.code == "SELF_APPROVAL":
            note_self_approval(actor=actor, at=at, authorisation_id=authorisation_id, verdict=verdict)
        raise


def _decide(subject: Subject[Case], asking: Asking, case: Case) -> Decided:
    request_id = asking.facts.id
    if asking.verdict != APPROVE:
        _record(asking)
        return Decided(request_id, DECLINED, subject.decline(asking, case))
    if len(asking.facts.approvals) + 1 < asking.facts.checkers:
        said = _record(asking)
        missing = said.checkers - said.approvals
        more = "one more person" if missing == 1 else f"{missing} more people"
        return Decided(
            request_id, RECORDED, f"{said.approvals} of {said.checkers} have said yes; {more} must before it is done."
        )
    try:
        with transaction.atomic():
            _record(asking)
            done = subject.apply(asking, case)
    except (InvariantBroken, Unavailable):
        raise
    except OmsError as error:  # the world has moved on since it was asked: nothing of the attempt was kept
        _record(asking, not_applied_because=error.sentence)
        subject.give_up(asking, case, error.sentence)
        return Decided(request_id, NOT_APPLIED, error.sentence, error.checks if isinstance(error, NotApplied) else ())
    return Decided(request_id, APPLIED, done.sentence, done.checks)


def _record(asking: Asking, not_applied_because: str = "") -> RecordedDecision:
    return record_decision(
        actor=asking.actor,
        at=asking.at,
        authorisation_id=asking.facts.id,
        verdict=asking.verdict,
        reason_code=asking.reason_code,
        reason=asking.reason,
        payload_hash=asking.facts.payload_hash,
        not_applied_because=not_applied_because,
    )
