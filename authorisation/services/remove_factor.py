"""Take a second factor away from its own person. The last one stays where the house demands one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction

from authorisation import security_log
from authorisation.domain.principal import Principal
from authorisation.locks import lock_factors
from authorisation.models import RecoveryCode
from authorisation.services._events import record
from kernel.errors import NotFound, Refused


def remove_factor(*, actor: Principal, at: datetime, factor_id: UUID) -> None:
    """Raises NotFound FACTOR_UNKNOWN, Refused FACTOR_IS_LAST: then an administrator and a second person must reset it."""
    with transaction.atomic():
        factors = lock_factors(actor.user_id)
        factor = next((one for one in factors if one.id == factor_id), None)
        if factor is None:
            raise NotFound("FACTOR_UNKNOWN", "You have no such second factor.")
        if len(factors) == 1 and settings.SECOND_FACTOR_REQUIRED:
            raise Refused(
                "FACTOR_IS_LAST", "It is your last second factor, and everybody here needs one. Add another first."
            )
        factor.delete()
        if len(factors) == 1:
            RecoveryCode.objects.filter(user_id=actor.user_id).delete()
        record(
            stream=f"user:{actor.user_id}",
            kind="FactorRemoved",
            actor=actor,
            at=at,
            payload={"factor_id": str(factor_id), "kind": factor.kind, "name": factor.name, "left": len(factors) - 1},
        )
    security_log.write("FACTOR_REMOVED", user=actor.actor, kind=factor.kind)
