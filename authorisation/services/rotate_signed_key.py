"""Give the holder of a key a second one, and say when the first ends: nobody has to change both sides at one moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from authorisation.domain.api_keys import DEFAULT_OVERLAP, MAX_OVERLAP, KeyTerms
from authorisation.domain.principal import Principal
from authorisation.locks import lock_signed_key
from authorisation.models import ApiKey
from authorisation.permissions import require_administrator
from authorisation.services._events import record
from authorisation.services._keys import require_rotatable
from authorisation.services.issue_signed_key import IssuedSignedKey, make_signed_key
from kernel.errors import Invalid


def rotate_signed_key(
    *, actor: Principal, at: datetime, key_id: UUID, overlap: timedelta = DEFAULT_OVERLAP
) -> IssuedSignedKey:
    """A new key with the terms of the old one, which ends after ``overlap`` at the latest. At most two of them live.

    Raises NotPermitted RIGHT_MISSING, NotFound API_KEY_UNKNOWN, Invalid OVERLAP_INVALID, Refused KEY_ENDED, Conflict
    KEY_ROTATION_OPEN while the key before this one, or one made to replace it, lives too.
    """
    require_administrator(actor)
    if not timedelta(0) <= overlap <= MAX_OVERLAP:
        sentence = f"Both may live for up to {MAX_OVERLAP.days} days."
        raise Invalid("OVERLAP_INVALID", sentence, {"overlap": [sentence]})
    with transaction.atomic():
        old = lock_signed_key(key_id)
        require_rotatable(old, at=at)
        ends_at = min(filter(None, (old.expires_at, at + overlap)))
        made = make_signed_key(
            actor=actor,
            at=at,
            user=old.user,
            terms=KeyTerms(
                old.name, tuple(old.scopes or ()), tuple(old.addresses), int(old.rate or 0), int(old.burst or 0)
            ),
            expires_at=None,
            replaces=old,
        )
        ApiKey.objects.filter(pk=old.pk).update(expires_at=ends_at)
        record(
            stream=f"user:{old.user_id}",
            kind="ApiKeyEnds",
            actor=actor,
            at=at,
            payload={"key_id": str(old.id), "name": old.name, "ends_at": ends_at, "replaced_by": str(made.id)},
        )
    return made
