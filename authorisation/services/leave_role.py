"""Take a role from a user. Its rights and grants are gone from the next request on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction

from authorisation.domain.access import ROLE_LEFT
from authorisation.domain.principal import Principal
from authorisation.models import RoleTerm, User
from authorisation.permissions import require_administrator
from authorisation.services._events import record, why
from authorisation.services._keeping import keeping_holders


def leave_role(*, actor: Principal, at: datetime, user: User, roles: Sequence[Group], because: str = "") -> int:
    """Take the user out of the roles; one that is not held changes nothing. Returns how many were held.
    ``because`` is told by the events.

    Raises NotPermitted RIGHT_MISSING, Refused LAST_HOLDER.
    """
    require_administrator(actor)
    with transaction.atomic(), keeping_holders():
        held = set(user.groups.values_list("pk", flat=True))
        gone = [role for role in roles if role.pk in held]
        user.groups.remove(*gone)
        RoleTerm.objects.filter(user=user, role__in=gone, ended_at=None).update(ended_at=at)
        for role in gone:
            told = {"role": role.name, **why(because)}
            record(stream=f"user:{user.pk}", kind=ROLE_LEFT, actor=actor, at=at, payload=told)
    return len(gone)
