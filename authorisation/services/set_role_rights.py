"""Say which rights a role has: all of them, each time."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from authorisation.domain.access import ROLE_RIGHTS_SET
from authorisation.domain.principal import Principal
from authorisation.domain.toxic import require_harmless
from authorisation.permissions import require_second_person
from authorisation.selectors import rights_beside_role
from authorisation.services._events import record, why
from authorisation.services._keeping import keeping_holders
from kernel.errors import Invalid


def set_role_rights(
    *,
    actor: Principal,
    at: datetime,
    role: Group,
    rights: Collection[str],
    because: str = "",
    decision: UUID | None = None,
) -> None:
    """Give the role exactly these rights (codenames). ``because`` is told by the event; ``decision`` is the request a
    second person approved.

    Raises NotPermitted RIGHT_MISSING or SECOND_PERSON_NEEDED, Invalid RIGHT_UNKNOWN, Refused LAST_HOLDER, and
    TOXIC_RIGHTS for the role itself or, with their other roles, for somebody who holds it.
    """
    require_second_person(actor, at=at, decision=decision)
    permissions = list(Permission.objects.filter(codename__in=rights))
    unknown = sorted(set(rights) - {permission.codename for permission in permissions})
    if unknown:
        raise Invalid("RIGHT_UNKNOWN", f"There is no right called {', '.join(unknown)}.")
    with transaction.atomic(), keeping_holders():
        _require_harmless(role, rights)
        role.permissions.set(permissions)
        record(
            stream=f"role:{role.name}",
            kind=ROLE_RIGHTS_SET,
            actor=actor,
            at=at,
            payload={
                "rights": sorted({permission.codename for permission in permissions}),
                "decision": str(decision) if decision else None,
                **why(because),
            },
        )


def _require_harmless(role: Group, rights: Collection[str]) -> None:
    require_harmless(rights, holder=f"The role {role.name}")
    for username, others in rights_beside_role(role.pk).items():
        require_harmless({*rights, *others}, holder=username)
