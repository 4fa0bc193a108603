"""Take back a right on single desks or account groups from a role group."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.contrib.auth.models import Group
from django.db import models, transaction
from guardian.shortcuts import remove_perm

from authorisation.domain.principal import Principal
from authorisation.permissions import require_administrator
from authorisation.services._events import record, why


def revoke_access(
    *, actor: Principal, at: datetime, group: Group, right: str, objects: Sequence[models.Model], because: str = ""
) -> None:
    """Take ``right`` on each object from the group; it holds from the next request on. ``because`` is told by the event.

    Raises NotPermitted.
    """
    require_administrator(actor)
    with transaction.atomic():
        for item in objects:
            remove_perm(right, group, item)
        record(
            stream=f"role:{group.name}",
            kind="AccessRevoked",
            actor=actor,
            at=at,
            payload={
                "right": right,
                "objects": [f"{item._meta.label_lower}:{item.pk}" for item in objects],
                **why(because),
            },
        )
