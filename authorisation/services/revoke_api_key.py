"""End a bearer token: it is refused from the next request on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.models import ApiKey
from authorisation.permissions import require_administrator
from authorisation.services._events import record, why
from kernel.errors import NotFound


def revoke_api_key(*, actor: Principal, at: datetime, key_id: UUID, because: str = "") -> bool:
    """True when the key was live until now. Owners may revoke their own. ``because`` is told by the event.

    Raises NotFound API_KEY_UNKNOWN, NotPermitted RIGHT_MISSING.
    """
    with transaction.atomic():
        key = ApiKey.objects.filter(pk=key_id).first()
        if key is None:
            raise NotFound("API_KEY_UNKNOWN", "There is no such key.")
        if key.user_id != actor.user_id:
            require_administrator(actor)
        revoked = ApiKey.objects.filter(pk=key_id, revoked_at__isnull=True).update(revoked_at=at)
        if revoked:
            record(
                stream=f"user:{key.user_id}",
                kind="ApiKeyRevoked",
                actor=actor,
                at=at,
                payload={"key_id": str(key.id), "name": key.name, **why(because)},
            )
    return bool(revoked)
