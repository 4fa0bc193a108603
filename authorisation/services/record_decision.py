"""Write down what the second person said. The subject's room calls it in the transaction that applies it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authorisation.domain.four_eyes import APPROVE, is_visible, require_decidable, require_verdict
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import CLAIMED, OPEN
from authorisation.locks import lock_request_row
from authorisation.models import AuthorisationRequest, Decision
from authorisation.selectors import facts_of
from authorisation.services._events import record
from authorisation.services._moving import drop_claim, save_closed, save_open
from journal.bulk import one_transaction
from kernel.errors import NotFound
from kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """The request's new state and what was decided about: the subject's room goes on from here.

    ``complete`` is False for an approval that more people must join: then nothing is applied yet.
    """

    authorisation_id: UUID
    state: str
    subject_type: str
    subject_id: str
    subject_version: int
    approvals: int
    checkers: int

    @property
    def complete(self) -> bool:
        return self.state not in OPEN


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

    Raises NotFound; Invalid VERDICT_INVALID; Conflict AUTHORISATION_CLOSED, AUTHORISATION_CHANGED, SENT_BACK or
    CLAIMED_BY_OTHER; NotPermitted SELF_APPROVAL, CHECKER_NOT_A_PERSON, POLICY_MISSING, RIGHT_MISSING or
    APPROVED_ALREADY; Refused AUTHORISATION_EXPIRED. Then nothing changed.
    """
    with one_transaction():
        require_verdict(verdict, reason_code, reason)

        row = lock_request_row(authorisation_id)
        facts = facts_of(row)
        if not is_visible(facts, actor):
            raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")

        require_decidable(facts, actor, at, payload_hash=payload_hash)
        _keep(row, actor, at, verdict, reason_code, reason)  # before the state: the trigger counts what was said
        approvals = len(facts.approvals) + (verdict == APPROVE)
        _move(row, verdict, approvals, not_applied_because, at)
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
                "version": row.version,
                "approvals": approvals,
                "checkers": row.checkers,
                "not_applied_because": not_applied_because,
            },
        )
        return RecordedDecision(
            row.id, str(row.state), row.subject_type, row.subject_id, row.subject_version, approvals, row.checkers
        )


def _keep(
    row: AuthorisationRequest, actor: Principal, at: datetime, verdict: str, reason_code: str, reason: str
) -> None:
    Decision.objects.create(
        id=new_id(),
        request=row,
        version=row.version,
        maker_id=row.maker_id,
        checker_id=actor.user_id,
        on_behalf_of=actor.on_behalf_of,
        verdict=verdict,
        reason_code=reason_code.strip(),
        reason=reason.strip(),
        payload_hash=row.payload_hash,
        decided_at=at,
    )


def _move(row: AuthorisationRequest, verdict: str, approvals: int, not_applied_because: str, at: datetime) -> None:
    """To its end; or, where more people must say yes, back to those who have not."""
    if verdict != APPROVE:
        row.decline()
    elif approvals < row.checkers:
        if row.state == CLAIMED:
            row.put_back()
        drop_claim(row)
        save_open(row)
        return
    elif not_applied_because:
        row.approve_without_effect()
    else:
        row.approve()
    save_closed(row, outcome=not_applied_because, at=at)
