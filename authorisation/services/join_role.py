"""Give a user a role. From the next request on the user has its rights and grants; toxic pairs are refused."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import transaction

from authorisation.domain.access import ROLE_JOINED
from authorisation.domain.principal import Principal
from authorisation.domain.toxic import require_harmless
from authorisation.locks import lock_rights
from authorisation.models import RoleTerm, User
from authorisation.permissions import require_second_person
from authorisation.selectors import rights_of_roles
from authorisation.services._events import record


def join_role(
    *,
    actor: Principal,
    at: datetime,
    user: User,
    roles: Sequence[Group],
    until: datetime | None = None,
    decision: UUID | None = None,
) -> int:
    """Put the user into the roles, until a time where one is given; one that is held already changes nothing. Returns
    how many are new. ``decision`` is the request a second person approved.

    Raises NotPermitted RIGHT_MISSING or SECOND_PERSON_NEEDED, Refused TOXIC_RIGHTS.
    """
    require_second_person(actor, at=at, decision=decision)
    with transaction.atomic():
        lock_rights()
        held = set(user.groups.values_list("pk", flat=True))
        new = [role for role in roles if role.pk not in held]
        require_harmless(rights_of_roles([*held, *(role.pk for role in new)]), holder=user.username)
        user.groups.add(*new)
        for role in new:
            if until is not None:
                RoleTerm.objects.create(user=user, role=role, given_at=at, until=until)
            payload = {
                "role": role.name,
                "until": until.isoformat() if until else None,
                "decision": str(decision) if decision else None,
            }
            record(stream=f"user:{user.pk}", kind=ROLE_JOINED, actor=actor, at=at, payload=payload)
    return len(new)
