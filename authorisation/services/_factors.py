"""Keep a new second factor: bounded in number, told, and on the security log."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation import security_log
from authorisation.locks import lock_factors
from authorisation.models import Factor, User
from authorisation.selectors import get_principal
from authorisation.services._events import record
from kernel.errors import Refused

MOST_FACTORS = 8


def keep_factor(user: User, factor: Factor, at: datetime) -> None:
    """Raises Refused FACTORS_TOO_MANY; IntegrityError when the key is another factor's already."""
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
