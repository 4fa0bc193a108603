"""Give a person ten codes that stand in for a lost second factor, each once."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction

from authorisation.domain.second_factor import (
    RECOVERY_ALPHABET,
    RECOVERY_CODES,
    RECOVERY_LETTERS,
    recovery_digest,
    spelled,
)
from authorisation.models import RecoveryCode, User
from authorisation.selectors import get_principal
from authorisation.services._events import record
from kernel.ids import new_id


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
