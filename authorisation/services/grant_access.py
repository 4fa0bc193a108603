"""Grant a role group a right on single desks or account groups. Groups only: people come and go."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import Group
from django.db import models, transaction
from guardian.shortcuts import assign_perm

from authorisation.domain.principal import Principal
from authorisation.permissions import require_second_person
from authorisation.services._events import record


def grant_access(
    *,
    actor: Principal,
    at: datetime,
    group: Group,
    right: str,
    objects: Sequence[models.Model],
    decision: UUID | None = None,
) -> None:
    """Grant ``right`` (a codename of the objects' model, ``trade_desk``) on each object. Granting twice is harmless.

    ``decision`` is the request a second person approved. Raises NotPermitted RIGHT_MISSING or SECOND_PERSON_NEEDED.
    """
    require_second_person(actor, at=at, decision=decision)
    with transaction.atomic():
        for item in objects:
            assign_perm(right, group, item)
        record(
            stream=f"role:{group.name}",
            kind="AccessGranted",
            actor=actor,
            at=at,
            payload={
                "right": right,
                "objects": [f"{item._meta.label_lower}:{item.pk}" for item in objects],
                "decision": str(decision) if decision else None,
            },
        )
