"""Sweeper: a mark with a beginning begins. Checks know it by the clock alone; here it is said, once, so that whoever settles
what is open under a lowered limit does so when it begins and not when it was approved.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import process_principal
from authorisation.models import AuthorisationRequest
from risk.domain.limit_change import change_from_payload
from risk.locks import lock_begun_limits
from risk.services._events import record


def begin_limits(*, at: datetime) -> int:
    """Say of each dated mark in force that it began. Returns how many; again at once, none."""
    with transaction.atomic():
        begun = lock_begun_limits(at=at)
        asked = AuthorisationRequest.objects.in_bulk([limit.change_id for limit in begun])
        for limit in begun:
            assert limit.change_id is not None, "a mark of the setup has no beginning"
            payload = {
                **change_from_payload(asked[limit.change_id].payload).to_payload(),
                "limit_id": limit.pk,
                "version": limit.version,
                "authorisation_id": str(limit.change_id),
            }
            stream = f"risk:limit:{limit.scope}:{limit.scope_id}"
            record(stream=stream, kind="LimitBegan", actor=process_principal("limits"), at=at, payload=payload)
    return len(begun)
