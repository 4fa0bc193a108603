"""Give a user a bearer token. It is shown once; only its digest is kept."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.models import ApiKey, User
from authorisation.permissions import require_administrator
from authorisation.selectors import token_digest
from authorisation.services._events import record
from kernel.errors import NotFound, Refused
from kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class IssuedKey:
    """The key's id and, this once, its token."""

    id: UUID
    token: str = field(repr=False)


def issue_api_key(
    *, actor: Principal, at: datetime, user_id: int, name: str, expires_at: datetime | None = None
) -> IssuedKey:
    """A new key of an active user. Raises NotPermitted RIGHT_MISSING, NotFound USER_UNKNOWN, Refused SIGNATURE_REQUIRED."""
    require_administrator(actor)
    if not settings.BEARER_TOKENS:
        raise Refused("SIGNATURE_REQUIRED", "Bearer tokens are not taken here: issue a key that signs.")
    token = f"oms_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        user = User.objects.filter(pk=user_id, is_active=True).first()
        if user is None:
            raise NotFound("USER_UNKNOWN", "There is no such active user.")
        key = ApiKey.objects.create(
            id=new_id(),
            user=user,
            name=name,
            prefix=token[:12],
            digest=token_digest(token),
            created_at=at,
            expires_at=expires_at,
        )
        record(
            stream=f"user:{user.pk}",
            kind="ApiKeyIssued",
            actor=actor,
            at=at,
            payload={"key_id": str(key.id), "name": name, "prefix": key.prefix},
        )
    return IssuedKey(key.id, token)
