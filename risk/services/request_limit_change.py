"""Ask a second person for another limit: a new mark, other marks, none, or others for a time. Nothing changes before that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict, Invalid, NotFound
from risk.domain.limit_change import MAX_REASON, LimitChange
from risk.locks import lock_limit
from risk.permissions import ASK_RISK_CHANGE, require_right, require_scope

KIND = "limit_change"


@dataclass(frozen=True, slots=True)
class ChangeAsked:
    """The question that waits for a second person."""

    authorisation_id: UUID
    sentence: str


def request_limit_change(
    *, actor: Principal, at: datetime, change: LimitChange, reason: str, trial: Mapping[str, Any] | None = None
) -> ChangeAsked:
    """Ask for it. The request is bound to the version of the standing mark: if that changes meanwhile, it is not applied.

    ``trial`` is what the limit would have done to past orders, for the second person.

    Raises NotPermitted RIGHT_MISSING, NotFound SCOPE_UNKNOWN or LIMIT_UNKNOWN (nothing to remove), Invalid
    LIMIT_CHANGE_INVALID, SCOPE_INVALID or REASON_INVALID, Conflict DECISION_PENDING; then nothing is kept.
    """
    require_right(actor, ASK_RISK_CHANGE, "Your role may not ask for changes of limits.")
    name = require_scope(actor, change.scope, change.scope_id)
    faults = change.faults(at)
    if faults:
        raise Invalid("LIMIT_CHANGE_INVALID", " ".join(text for texts in faults.values() for text in texts), faults)
    if not reason.strip() or len(reason) > MAX_REASON:
        sentence = f"Say why, in at most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    subject = subject_of(change)
    with transaction.atomic():
        standing = lock_limit(change.scope, change.scope_id, change.kind, change.currency)
        in_force = standing is not None and (standing.effective_until is None or standing.effective_until > at)
        if change.hard is None and not in_force:
            raise NotFound("LIMIT_UNKNOWN", "There is no such mark to remove.")
        if AuthorisationRequest.objects.filter(kind=KIND, subject_id=subject, state__in=OPEN).exists():
            raise Conflict("DECISION_PENDING", "A change of this limit waits for a second person already.")
        before = {"warn": standing.warn, "hard": standing.hard} if standing is not None and in_force else None
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type="limit",
            subject_id=subject,
            subject_version=standing.version if standing is not None else 0,
            payload={**change.to_payload(), "name": name, "before": before, "reason": reason.strip(), "trial": trial},
            summary=change.words(name)[:500],
            value=change.hard if change.currency else None,
            currency=change.currency,
        )
    return ChangeAsked(raised.id, f"{change.words(name)}: waits for a second person.")


def subject_of(change: LimitChange) -> str:
    """The name of the limit that is to change, for as long as it is asked about."""
    return f"{change.scope}:{change.scope_id}:{change.kind}:{change.currency}"
