"""Say which person answers for a service account: what the account asks for, that person is no second person about."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.models import User
from authorisation.permissions import require_administrator
from authorisation.services._events import record
from kernel.errors import Invalid


def name_responsible(*, actor: Principal, at: datetime, account: User, person: User) -> bool:
    """True when it was somebody else before. What waits keeps the person it was raised under.

    Raises NotPermitted RIGHT_MISSING, Invalid RESPONSIBLE_INVALID (not a service account, not an active person).
    """
    require_administrator(actor)
    if account.kind != User.Kind.SERVICE or person.kind != User.Kind.PERSON or not person.is_active:
        raise Invalid("RESPONSIBLE_INVALID", "An active person answers for a service account, and for nobody else.")
    if account.responsible_id == person.pk:
        return False
    with transaction.atomic():
        before = account.responsible_id
        account.responsible = person
        account.save(update_fields=["responsible"])
        record(
            stream=f"user:{account.pk}",
            kind="ResponsibleNamed",
            actor=actor,
            at=at,
            payload={"before": before, "person_id": person.pk},
        )
    return True
