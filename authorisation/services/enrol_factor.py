"""Give a person a second factor: an authenticator app whose first code was right, or a key that signed a challenge."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, transaction
from webauthn.helpers import bytes_to_base64url
from webauthn.registration.verify_registration_response import VerifiedRegistration

from authorisation import security_log
from authorisation.domain.second_factor import (
    RECOVERY_ALPHABET,
    RECOVERY_CODES,
    RECOVERY_LETTERS,
    recovery_digest,
    spelled,
    step_of_code,
)
from authorisation.locks import lock_factors
from authorisation.models import Factor, RecoveryCode, User
from authorisation.sealing import seal
from authorisation.selectors import get_principal
from authorisation.services._events import record
from kernel.errors import Conflict, Refused
from kernel.ids import new_id

MOST_FACTORS = 8


def enrol_totp(*, user: User, at: datetime, secret: str, code: str, name: str) -> UUID:
    """An authenticator app. Raises Refused CODE_WRONG unless the code is of now, FACTORS_TOO_MANY."""
    step = step_of_code(secret, code, at=at, last_step=0)
    if step is None:
        raise Refused("CODE_WRONG", "That is not the code the app shows for this account now. Look again.")
    factor_id = new_id()
    factor = Factor(
        id=factor_id,
        user=user,
        kind=Factor.Kind.TOTP,
        name=name.strip()[:60] or "Authenticator app",
        secret=seal(secret.encode(), about=f"totp:{factor_id}"),
        last_step=step,
        created_at=at,
    )
    _enrol(user, factor, at)
    return factor_id


def enrol_authenticator(*, user: User, at: datetime, verified: VerifiedRegistration, name: str) -> UUID:
    """A security key or passkey. Raises Conflict FACTOR_KNOWN when somebody has it already, Refused FACTORS_TOO_MANY."""
    factor = Factor(
        id=new_id(),
        user=user,
        kind=Factor.Kind.WEBAUTHN,
        name=name.strip()[:60] or "Security key",
        credential_id=bytes_to_base64url(verified.credential_id),
        public_key=bytes_to_base64url(verified.credential_public_key),
        sign_count=verified.sign_count,
        created_at=at,
    )
    try:
        _enrol(user, factor, at)
    except IntegrityError as taken:
        raise Conflict("FACTOR_KNOWN", "This key is enrolled already.") from taken
    return factor.id


def _enrol(user: User, factor: Factor, at: datetime) -> None:
    with transaction.atomic():
        if len(lock_factors(user.pk)) >= MOST_FACTORS:
            raise Refused(
                "FACTORS_TOO_MANY", f"Nobody needs more than {MOST_FACTORS} second factors; remove one first."
            )
        factor.save(force_insert=True)
        record(
            stream=f"user:{user.pk}",
            kind="FactorEnrolled",
            actor=get_principal(user),
            at=at,
            payload={"factor_id": str(factor.id), "kind": factor.kind, "name": factor.name},
        )
    security_log.write("FACTOR_ENROLLED", user=user.actor, kind=factor.kind)


def make_recovery_codes(*, user: User, at: datetime) -> tuple[str, ...]:
    """Ten new codes, shown this once; earlier ones stop working."""
    letters = [
        "".join(secrets.choice(RECOVERY_ALPHABET) for _ in range(RECOVERY_LETTERS)) for _ in range(RECOVERY_CODES)
    ]
    with transaction.atomic():
        RecoveryCode.objects.filter(user=user).delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(id=new_id(), user=user, digest=recovery_digest(code) or "", created_at=at) for code in letters
        )
        record(
            stream=f"user:{user.pk}",
            kind="RecoveryCodesMade",
            actor=get_principal(user),
            at=at,
            payload={"count": len(letters)},
        )
    return tuple(spelled(code) for code in letters)
