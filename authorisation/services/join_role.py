"""Give a user a role. From the next request on the user has its rights and grants; toxic pairs are refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import transaction

from authorisation.domain.access import ROLE_JOINED
from authorisation.domain.principal import Principal
from authorisation.domain.toxic import require_harmless
from authorisation.locks import lock_rights
from authorisation.models import User
from authorisation.permissions import require_administrator
from authorisation.selectors import rights_of_roles
from authorisation.services._events import record


def join_role(*, actor: Principal, at: datetime, user: User, roles: Sequence[Group]) -> int:
    """Put the user into the roles; one that is held already changes nothing. Returns how many are new.

    Raises NotPermitted RIGHT_MISSING, Refused TOXIC_RIGHTS.
    """
    require_administrator(actor)
    with transaction.atomic():
        lock_rights()
        held = set(user.groups.values_list("pk", flat=True))
        new = [role for role in roles if role.pk not in held]
        require_harmless(rights_of_roles([*held, *(role.pk for role in new)]), holder=user.username)
        user.groups.add(*new)
        for role in new:
            record(stream=f"user:{user.pk}", kind=ROLE_JOINED, actor=actor, at=at, payload={"role": role.name})
    return len(new)
