"""Security keys and passkeys (WebAuthn) at the edge: the challenges a browser is given, and what it answers.

A challenge lives in the session, is of one purpose, and is spent by the first answer. Whoever holds the key must be
verified by it (PIN, finger, face). A key that says it signed no more often than before may have been copied: refused,
and somebody's exception. The origin is the page's own; host names were checked before (ALLOWED_HOSTS).
"""

from __future__ import annotations

import json
import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.http import HttpRequest
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    options_to_json,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from authorisation import security_log
from authorisation.locks import lock_factors
from authorisation.models import Factor, User
from authorisation.services import _failures
from authorisation.sources import source_of
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly

CHALLENGE = "oms_challenge"
ENROL, PROVE = "enrol", "prove"


def rp_id_of(request: HttpRequest) -> str:
    """The host name keys are bound to."""
    host = request.get_host()
    return host if host.endswith("]") else host.rsplit(":", 1)[0]


def enrol_options(request: HttpRequest, user: User) -> str:
    """Options for ``navigator.credentials.create`` as JSON; remembers the challenge."""
    options = generate_registration_options(
        rp_id=rp_id_of(request),
        rp_name="OMS",
        user_id=str(user.pk).encode(),
        user_name=user.username,
        user_display_name=user.get_full_name() or user.username,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.DISCOURAGED, user_verification=UserVerificationRequirement.REQUIRED
        ),
        exclude_credentials=_keys_of(user),
    )
    _remember(request, ENROL, options.challenge)
    return options_to_json(options)


def prove_options(request: HttpRequest, user: User) -> str:
    """Options for ``navigator.credentials.get`` as JSON, remembering the challenge; empty when the person has no key."""
    keys = _keys_of(user)
    if not keys:
        return ""
    options = generate_authentication_options(
        rp_id=rp_id_of(request), allow_credentials=keys, user_verification=UserVerificationRequirement.REQUIRED
    )
    _remember(request, PROVE, options.challenge)
    return options_to_json(options)


def read_enrolment(request: HttpRequest, answer: str) -> VerifiedRegistration | None:
    """The key that answered the challenge, or None when the answer does not hold."""
    challenge = _spend(request, ENROL)
    if challenge is None:
        return None
    try:
        return verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=rp_id_of(request),
            expected_origin=_origin(request),
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return None


def check_key(request: HttpRequest, user: User, answer: str, *, at: datetime) -> bool:
    """Whether a key of the person answered the challenge. Wrong answers count against the second factor's lock-out."""
    challenge, lock = _spend(request, PROVE), _failures.of_second_factor(user.pk)
    if _failures.is_locked(lock, at=at):
        return False
    with transaction.atomic():
        right = challenge is not None and _check(request, user, answer, challenge, at)
    if right:
        _failures.forget(lock)
        return True
    _failures.count(lock, at)
    security_log.write(
        "SECOND_FACTOR_REFUSED", user=user.actor, source=source_of(request), level=logging.WARNING, why="KEY"
    )
    return False


def _check(request: HttpRequest, user: User, answer: str, challenge: bytes, at: datetime) -> bool:
    keys = {one.credential_id: one for one in lock_factors(user.pk) if one.kind == Factor.Kind.WEBAUTHN}
    try:
        credential = json.loads(answer)
        factor = keys[credential["id"]]
        verified = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=rp_id_of(request),
            expected_origin=_origin(request),
            credential_public_key=base64url_to_bytes(factor.public_key),
            credential_current_sign_count=0,  # compared below, where a copied key is told from a wrong answer
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError):
        return False
    if factor.sign_count and verified.new_sign_count <= factor.sign_count:
        _tell_copied(user, factor, verified.new_sign_count, at)
        return False
    factor.sign_count, factor.last_used_at = verified.new_sign_count, at
    factor.save(update_fields=["sign_count", "last_used_at"])
    return True


def _tell_copied(user: User, factor: Factor, count: int, at: datetime) -> None:
    raise_anomaly(
        anomaly=Anomaly(
            kind="AUTHENTICATOR_COPIED",
            severity=Severity.HIGH,
            subject_type="user",
            subject_id=str(user.pk),
            sentence=f"A security key of {user.username} counts backwards: there may be a copy of it.",
            evidence={"factor_id": str(factor.id), "known": factor.sign_count, "said": count},
            dedupe_key=f"authenticator:{factor.id}",
        ),
        actor="process:web",
        at=at,
    )


def _keys_of(user: User) -> list[PublicKeyCredentialDescriptor]:
    rows = Factor.objects.filter(user=user, kind=Factor.Kind.WEBAUTHN).order_by("created_at", "id")
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(row.credential_id or "")) for row in rows]


def _origin(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


def _remember(request: HttpRequest, purpose: str, challenge: bytes) -> None:
    request.session[CHALLENGE] = {purpose: bytes_to_base64url(challenge)}


def _spend(request: HttpRequest, purpose: str) -> bytes | None:
    kept: dict[str, Any] = request.session.pop(CHALLENGE, {})
    return base64url_to_bytes(kept[purpose]) if purpose in kept else None
