"""Give a service account a key that signs its requests. The secret is shown once and kept sealed."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.access import API_KEY_ISSUED
from authorisation.domain.api_keys import KeyTerms
from authorisation.domain.principal import Principal
from authorisation.models import ApiKey, User
from authorisation.permissions import require_administrator
from authorisation.sealing import seal
from authorisation.services._events import record
from authorisation.services._keys import require_service_account
from kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class IssuedSignedKey:
    """The key's id and, this once, its secret."""

    id: UUID
    secret: str = field(repr=False)


def issue_signed_key(
    *, actor: Principal, at: datetime, user_id: int, terms: KeyTerms, expires_at: datetime | None = None
) -> IssuedSignedKey:
    """A new key of an active service account.

    Raises NotPermitted RIGHT_MISSING, NotFound USER_UNKNOWN, Refused KEY_NEEDS_SERVICE_ACCOUNT.
    """
    require_administrator(actor)
    with transaction.atomic():
        user = require_service_account(user_id)
        return make_signed_key(actor=actor, at=at, user=user, terms=terms, expires_at=expires_at)


def make_signed_key(
    *,
    actor: Principal,
    at: datetime,
    user: User,
    terms: KeyTerms,
    expires_at: datetime | None,
    replaces: ApiKey | None = None,
) -> IssuedSignedKey:
    """Write the key and its event, inside the caller's transaction, which has looked at who may."""
    key_id, secret = new_id(), f"oms_{secrets.token_urlsafe(32)}"
    key = ApiKey.objects.create(
        id=key_id,
        user=user,
        name=terms.name,
        scheme=ApiKey.Scheme.SIGNED,
        prefix=str(key_id)[-12:],
        sealed_secret=seal(secret.encode(), about=sealed_about(key_id)),
        scopes=list(terms.scopes),
        addresses=list(terms.addresses),
        rate=terms.rate,
        burst=terms.burst,
        replaces=replaces,
        created_at=at,
        expires_at=expires_at,
    )
    record(
        stream=f"user:{user.pk}",
        kind=API_KEY_ISSUED,
        actor=actor,
        at=at,
        payload={
            "key_id": str(key.id),
            "name": terms.name,
            "prefix": key.prefix,
            "scheme": "signed",
            "scopes": list(terms.scopes),
            "addresses": list(terms.addresses),
            "rate": terms.rate,
            "burst": terms.burst,
            "replaces": str(replaces.id) if replaces else None,
            "expires_at": expires_at,
        },
    )
    return IssuedSignedKey(key.id, secret)


def sealed_about(key_id: UUID) -> str:
    """What a key's secret is sealed about."""
    return f"api_key:{key_id}"
