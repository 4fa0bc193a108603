"""Give a person a security key or passkey that signed a challenge of ours."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError
from webauthn.helpers import bytes_to_base64url
from webauthn.registration.verify_registration_response import VerifiedRegistration

from authorisation.models import Factor, User
from authorisation.services._factors import keep_factor
from kernel.errors import Conflict
from kernel.ids import new_id


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
        keep_factor(user, factor, at)
    except IntegrityError as taken:
        raise Conflict("FACTOR_KNOWN", "This key is enrolled already.") from taken
    return factor.id
