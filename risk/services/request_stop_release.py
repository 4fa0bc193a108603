"""Ask a second person to let a stop go. Nothing changes before that person's word, and nothing resumes by itself after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted
from risk.domain.stops import is_stop
from risk.locks import lock_blocks
from risk.models import Block
from risk.permissions import ASK_RISK_CHANGE, ENGAGE_KILL_SWITCH, require_scope

KIND = "stop_release"
MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class ReleaseAsked:
    """The question that waits for a second person."""

    authorisation_id: UUID
    sentence: str


def request_stop_release(*, actor: Principal, at: datetime, stop_id: UUID, reason: str) -> ReleaseAsked:
    """Ask for it: whoever may press, the one who pressed included, and whoever may ask for changes of risk.

    Raises NotPermitted RIGHT_MISSING, NotFound STOP_UNKNOWN, Invalid REASON_INVALID, Conflict DECISION_PENDING; then
    nothing is kept.
    """
    if not actor.rights & {ENGAGE_KILL_SWITCH, ASK_RISK_CHANGE}:
        raise NotPermitted("RIGHT_MISSING", "Your role may not ask for the release of a stop.")
    if not reason.strip() or len(reason) > MAX_REASON:
        sentence = f"Say why, in at most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    with transaction.atomic():
        block = _lock_stop(stop_id)
        if block is None:
            raise NotFound("STOP_UNKNOWN", "No such stop stands.")
        name = require_scope(actor, block.scope, block.scope_id)
        waiting = AuthorisationRequest.objects.filter(kind=KIND, subject_id=str(block.id), state__in=OPEN)
        if waiting.exists():
            raise Conflict("DECISION_PENDING", "The release of this stop waits for a second person already.")
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type="block",
            subject_id=str(block.id),
            subject_version=1,
            payload={
                "scope": block.scope,
                "scope_id": block.scope_id,
                "source": block.source,
                "name": name,
                "stopped_because": block.reason,
                "pressed_by_id": block.imposed_by_user,
                "reason": reason.strip(),
            },
            summary=f"Release {name}, stopped because: {block.reason}"[:500],
        )
    return ReleaseAsked(raised.id, f"The release of {name} waits for a second person of risk or compliance.")


def _lock_stop(stop_id: UUID) -> Block | None:
    """The stop while it stands, locked as every change of a block locks it."""
    seen = Block.objects.filter(id=stop_id, lifted_at__isnull=True).first()
    if seen is None or not is_stop(seen.source):
        return None
    block = lock_blocks(scope=seen.scope, scope_id=seen.scope_id, source=seen.source)
    return block if block is not None and block.id == stop_id else None
