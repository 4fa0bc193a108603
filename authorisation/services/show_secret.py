"""Show the secret of a new key to who asked for it: once, and not after a day."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.locks import lock_signed_key
from authorisation.models import ApiKey
from authorisation.sealing import unseal
from authorisation.selectors import is_live
from authorisation.services._events import record
from authorisation.services.issue_signed_key import IssuedSignedKey, sealed_about
from kernel.errors import Conflict, NotFound

FETCHED_WITHIN = timedelta(days=1)


def show_secret(*, actor: Principal, at: datetime, key_id: UUID) -> IssuedSignedKey:
    """The key and, this once, its secret.

    Raises NotFound API_KEY_UNKNOWN for a key that somebody else asked for, Conflict SECRET_SHOWN when it was fetched
    before, is a day old, or the key is over: ask for another key then.
    """
    with transaction.atomic():
        key = lock_signed_key(key_id)
        if key.secret_for_id is None:
            raise Conflict("SECRET_SHOWN", "Its secret was shown already; ask for another key if it is lost.")
        if key.secret_for_id != actor.user_id:
            raise NotFound("API_KEY_UNKNOWN", "There is no such key whose secret waits for you.")
        if not is_live(key, at=at) or at > key.created_at + FETCHED_WITHIN:
            raise Conflict("SECRET_SHOWN", "Its secret was not fetched within a day; ask for another key.")
        ApiKey.objects.filter(pk=key.pk).update(secret_for=None)
        record(
            stream=f"user:{key.user_id}",
            kind="ApiKeySecretShown",
            actor=actor,
            at=at,
            payload={"key_id": str(key.id), "name": key.name},
        )
        return IssuedSignedKey(key.pk, unseal(key.sealed_secret, about=sealed_about(key.pk)).decode())
