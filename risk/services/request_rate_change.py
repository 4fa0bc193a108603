"""Ask a second person to set a mark for rates, repeated executions or a breaker. Nothing changes before that person's word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict, Invalid
from risk.domain.rates import THROTTLES, RateKind, RateMark
from risk.permissions import ASK_RISK_CHANGE, require_right

KIND = "rate_change"
MAX_REASON = 500
MOST = 1_000_000
_SUBJECT = {
    RateKind.USER: "user:",
    RateKind.KEY: "key:",
    RateKind.ACCOUNT: "account:",
    RateKind.SESSION: "session:",
}


@dataclass(frozen=True, slots=True)
class RateChangeAsked:
    """The question that waits for a second person."""

    authorisation_id: UUID
    sentence: str


def request_rate_change(
    *,
    actor: Principal,
    at: datetime,
    mark: RateMark,
    effective_from: datetime | None = None,
    reason: str,
    name: str = "",
) -> RateChangeAsked:
    """Ask for it. In force from approval, or from ``effective_from`` where that is later. ``name``: what people call its subject.

    Raises NotPermitted RIGHT_MISSING, Invalid RATE_INVALID, Conflict DECISION_PENDING; then nothing is kept.
    """
    require_right(actor, ASK_RISK_CHANGE, "Your role may not ask for changes of rates.")
    faults = mark_faults(mark)
    if not reason.strip() or len(reason) > MAX_REASON:
        faults["reason"] = [f"Say why, in at most {MAX_REASON} characters."]
    if faults:
        raise Invalid("RATE_INVALID", "The mark cannot be set so.", faults)
    subject = f"{mark.kind.value} {mark.subject}".strip()
    shown = f"{mark.kind.value} {name or mark.subject}".strip()
    with transaction.atomic():
        waiting = AuthorisationRequest.objects.filter(kind=KIND, subject_id=subject, state__in=OPEN)
        if waiting.exists():
            raise Conflict("DECISION_PENDING", "A change of this mark waits for a second person already.")
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type=KIND,
            subject_id=subject,
            subject_version=1,
            payload=mark_payload(mark) | {"effective_from": effective_from, "reason": reason.strip()},
            summary=f"Rate of {shown}: {mark.words}"[:500],
        )
    return RateChangeAsked(raised.id, f"The new rate of {shown} waits for a second person.")


def mark_payload(mark: RateMark) -> dict[str, Any]:
    """The mark's own values as plain JSON."""
    return {
        "kind": mark.kind.value,
        "subject": mark.subject,
        "amount": mark.amount,
        "seconds": mark.seconds,
        "burst": mark.burst,
        "share": mark.share,
        "pause_s": mark.pause_s,
    }


def mark_faults(mark: RateMark) -> dict[str, list[str]]:
    """What is wrong with a mark, by field; empty when it can be set."""
    faults: dict[str, list[str]] = {}
    for name in ("amount", "seconds"):
        if not 1 <= getattr(mark, name) <= MOST:
            faults[name] = [f"From 1 to {MOST:,}."]
    for name in ("burst", "pause_s"):
        if not 0 <= getattr(mark, name) <= MOST:
            faults[name] = [f"From 0 to {MOST:,}."]
    if mark.kind in THROTTLES and mark.burst < 1:
        faults["burst"] = ["At least one message must be able to pass."]
    if not 0 <= mark.share <= 100:
        faults["share"] = ["A per cent from 0 to 100."]
    if mark.kind is RateKind.SESSION and mark.burst - mark.burst * mark.share // 100 < 1:
        faults["share"] = ["Orders would never leave: keep less for cancels."]
    if mark.subject and not mark.subject.startswith(_SUBJECT.get(mark.kind, "")):
        faults["subject"] = [f"Begins with {_SUBJECT[mark.kind]}"]
    return faults
