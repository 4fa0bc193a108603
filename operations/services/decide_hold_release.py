"""A second person's word on the release of a legal hold."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.services.decide_request import Applied, Asking, Decided, Subject, decide_request
from journal.locks import lock_hold
from journal.models import LegalHold
from journal.services.release_hold import release_hold
from operations.services.ask_hold_release import KIND


def decide_hold_release(
    *,
    actor: Principal,
    at: datetime,
    authorisation_id: UUID,
    verdict: str,
    reason_code: str,
    reason: str,
    payload_hash: str,
) -> Decided:
    """Approve or decline. Raises as ``authorisation.services.decide_request`` does; then nothing changed."""
    return decide_request(
        subject=_SUBJECT,
        actor=actor,
        at=at,
        authorisation_id=authorisation_id,
        verdict=verdict,
        reason_code=reason_code,
        reason=reason,
        payload_hash=payload_hash,
    )


def _load(asking: Asking) -> LegalHold:
    return lock_hold(UUID(asking.payload["hold_id"]))


def _apply(asking: Asking, hold: LegalHold) -> Applied:
    release_hold(
        actor=asking.actor.actor,
        on_behalf_of=asking.actor.on_behalf_of,
        at=asking.at,
        hold_id=hold.id,
        asked_by=f"user:{asking.facts.maker_id}",
        reason=asking.payload["reason"],
    )
    return Applied(f"The hold of matter {hold.matter} is released; what no other hold keeps may now be removed.")


def _decline(asking: Asking, hold: LegalHold) -> str:
    return f"The hold of matter {hold.matter} stands."


_SUBJECT = Subject(KIND, _load, _apply, _decline)
