"""Ask a second person for another policy of who decides what. Nothing changes before, and what waits keeps its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.policy_change import PolicyChange, require_shape, same_key
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest, Desk
from authorisation.permissions import require_administrator
from authorisation.selectors.people import count_holders
from authorisation.selectors.policies import last_version, standing_policies
from authorisation.services.raise_request import raise_request
from journal.locks import lock_heads
from kernel.errors import Conflict, Invalid, NotFound, Refused

KIND = "policy_change"
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class PolicyAsked:
    """The question that waits for a second person."""

    authorisation_id: UUID
    sentence: str


def request_policy_change(*, actor: Principal, at: datetime, change: PolicyChange, reason: str) -> PolicyAsked:
    """Ask for it. The request is bound to the version that stands: if that changes meanwhile, it is not applied.

    Raises NotPermitted RIGHT_MISSING, Invalid POLICY_INVALID or REASON_INVALID, NotFound DESK_UNKNOWN or POLICY_UNKNOWN
    (nothing to end), Refused NOT_ENOUGH_CHECKERS, Conflict DECISION_PENDING; then nothing is kept.
    """
    require_administrator(actor)
    require_shape(change)
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        sentence = f"Say why, in at most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    with transaction.atomic():
        desk = Desk.objects.filter(pk=change.desk_id).first() if change.desk_id is not None else None
        if change.desk_id is not None and desk is None:
            raise NotFound("DESK_UNKNOWN", "There is no such desk.")
        lock_heads([f"policy:{change.kind}"])
        standing = next((row for row in standing_policies(at=at, kind=change.kind) if same_key(row, change)), None)
        if change.ended and standing is None:
            raise NotFound("POLICY_UNKNOWN", "There is no such policy to end.")
        require_enough_people(change)
        if AuthorisationRequest.objects.filter(kind=KIND, subject_id=change.subject, state__in=OPEN).exists():
            raise Conflict("DECISION_PENDING", "A change of this policy waits for a second person already.")
        words = change.words(desk.code if desk else "")
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type="policy",
            subject_id=change.subject,
            subject_version=last_version(change),
            payload={**change.to_payload(), "name": words, "reason": reason},
            summary=f"{words}, because: {reason}"[:500],
        )
    return PolicyAsked(raised.id, f"{words}. It waits for a second person.")


def require_enough_people(change: PolicyChange) -> None:
    """Raise Refused NOT_ENOUGH_CHECKERS where so few hold the right that one of them could never be overruled or away."""
    if change.ended:
        return
    found = count_holders(change.right)
    if found <= change.checkers:
        raise Refused(
            "NOT_ENOUGH_CHECKERS",
            f"{found} people may decide so; {change.checkers} must, and its maker may be one of them.",
            {"holders": found, "checkers": change.checkers},
        )
