"""Write down what the second person said. The subject's room calls it in the transaction that applies it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authorisation.domain.four_eyes import APPROVE, is_visible, require_decidable, require_verdict
from authorisation.domain.principal import Principal
from authorisation.locks import lock_request_row
from authorisation.models import Decision
from authorisation.selectors import facts_of
from authorisation.services._events import record
from journal.bulk import one_transaction
from kernel.errors import NotFound
from kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """The request's new state and what was decided about: the subject's room goes on from here."""

    authorisation_id: UUID
    state: str
    subject_type: str
    subject_id: str
    subject_version: int


def record_decision(
    *,
    actor: Principal,
    at: datetime,
    authorisation_id: UUID,
    verdict: str,
    reason_code: str,
    reason: str,
    payload_hash: str,
    not_applied_because: str = "",
) -> RecordedDecision:
    """Approve or decline. ``not_applied_because`` marks an approval the subject's room could not carry out.

    Raises NotFound; Invalid VERDICT_INVALID; Conflict AUTHORISATION_CLOSED or AUTHORISATION_CHANGED; NotPermitted
    SELF_APPROVAL, CHECKER_NOT_A_PERSON or RIGHT_MISSING; Refused AUTHORISATION_EXPIRED. Then nothing changed.
    """
    with one_transaction():
        require_verdict(verdict, reason_code, reason)

        row = lock_request_row(authorisation_id)
        facts = facts_of(row)
        if not is_visible(facts, actor):
            raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")

        require_decidable(facts, actor, at, payload_hash=payload_hash)
        if verdict == APPROVE and not_applied_because:
            row.approve_without_effect()
        elif verdict == APPROVE:
            row.approve()
        else:
            row.decline()

        row.outcome, row.closed_at = not_applied_because, at
        row.save(update_fields=["state", "outcome", "closed_at"])
        Decision.objects.create(
            id=new_id(),
            request=row,
            maker_id=row.maker_id,
            checker_id=actor.user_id,
            verdict=verdict,
            reason_code=reason_code.strip(),
            reason=reason.strip(),
            payload_hash=payload_hash,
            decided_at=at,
        )
        record(
            stream=f"authorisation:{row.id}",
            kind="AuthorisationDecided",
            actor=actor,
            at=at,
            payload={
                "verdict": verdict,
                "state": str(row.state),
                "reason_code": reason_code.strip(),
                "reason": reason.strip(),
                "payload_hash": payload_hash,
                "not_applied_because": not_applied_because,
            },
        )
        return RecordedDecision(row.id, str(row.state), row.subject_type, row.subject_id, row.subject_version)
