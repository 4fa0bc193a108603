"""Ask a second administrator for a key that signs. Who asked fetches its secret, once, when it was approved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from authorisation.domain.api_keys import DEFAULT_OVERLAP, MAX_OVERLAP, KeyTerms
from authorisation.domain.key_change import KIND, MAX_REASON, KeyChange, to_payload
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import ApiKey, AuthorisationRequest
from authorisation.permissions import require_administrator
from authorisation.services._keys import require_rotatable, require_service_account
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict, Invalid, NotFound


@dataclass(frozen=True, slots=True)
class KeyAsked:
    """The question that waits for a second administrator."""

    authorisation_id: UUID
    sentence: str


def request_api_key(
    *, actor: Principal, at: datetime, user_id: int, terms: KeyTerms, reason: str, expires_at: datetime | None = None
) -> KeyAsked:
    """Ask for a new key of a service account.

    Raises NotPermitted RIGHT_MISSING, Invalid KEY_INVALID, NotFound USER_UNKNOWN, Refused KEY_NEEDS_SERVICE_ACCOUNT, Conflict
    DECISION_PENDING; then nothing is kept.
    """
    require_administrator(actor)
    if expires_at is not None and expires_at <= at:
        raise Invalid("KEY_INVALID", "A key ends in time to come.", {"expires_at": ["A time to come."]})
    user = require_service_account(user_id)
    return _ask(actor, at, KeyChange(user.pk, user.username, terms, _why(reason), expires_at))


def request_key_rotation(
    *, actor: Principal, at: datetime, key_id: UUID, reason: str, overlap: timedelta = DEFAULT_OVERLAP
) -> KeyAsked:
    """Ask for a second key with the terms of a first, which then ends after ``overlap``.

    Raises NotPermitted RIGHT_MISSING, NotFound API_KEY_UNKNOWN, Invalid, Refused KEY_ENDED, Conflict KEY_ROTATION_OPEN or
    DECISION_PENDING; then nothing is kept.
    """
    require_administrator(actor)
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        sentence = f"Both may live for up to {MAX_OVERLAP.days} days."
        raise Invalid("OVERLAP_INVALID", sentence, {"overlap": [sentence]})
    old = ApiKey.objects.select_related("user").filter(pk=key_id, scheme=ApiKey.Scheme.SIGNED).first()
    if old is None:
        raise NotFound("API_KEY_UNKNOWN", "There is no such key.")
    require_rotatable(old, at=at)
    change = KeyChange(
        old.user_id,
        old.user.username,
        KeyTerms(old.name, tuple(old.scopes or ()), tuple(old.addresses), int(old.rate or 0), int(old.burst or 0)),
        _why(reason),
        replaces=old.pk,
        overlap_s=int(overlap.total_seconds()),
    )
    return _ask(actor, at, change)


def _why(reason: str) -> str:
    if not reason.strip() or len(reason) > MAX_REASON:
        sentence = f"Say why, in at most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    return reason.strip()


def _ask(actor: Principal, at: datetime, change: KeyChange) -> KeyAsked:
    subject = f"{change.user_id}:{change.terms.name}"
    with transaction.atomic():
        if AuthorisationRequest.objects.filter(kind=KIND, subject_id=subject, state__in=OPEN).exists():
            raise Conflict("DECISION_PENDING", "A key of this name waits for a second person already.")
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type=KIND,
            subject_id=subject,
            subject_version=1,
            payload=to_payload(change),
            summary=change.words[:500],
        )
    return KeyAsked(raised.id, f"{change.words}: waits for a second administrator.")
