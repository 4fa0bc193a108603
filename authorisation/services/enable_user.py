"""Let somebody who was cut off sign in again: two people say so. Roles and keys that ended do not come back by it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.access import USER_ENABLED
from authorisation.domain.principal import Principal
from authorisation.locks import lock_user
from authorisation.permissions import require_second_person
from authorisation.services._events import record
from kernel.errors import Conflict


def enable_user(*, actor: Principal, at: datetime, user_id: int, decision: UUID | None = None) -> None:
    """Raises NotPermitted SECOND_PERSON_NEEDED, NotFound USER_UNKNOWN, Conflict USER_ACTIVE."""
    require_second_person(actor, at=at, decision=decision)
    with transaction.atomic():
        user = lock_user(user_id)
        if user.is_active:
            raise Conflict("USER_ACTIVE", f"{user.username} may sign in already.")
        user.is_active = True
        user.save(update_fields=["is_active"])
        payload = {"decision": str(decision) if decision else None}
        record(stream=f"user:{user.pk}", kind=USER_ENABLED, actor=actor, at=at, payload=payload)
