"""A session has logged on: its recovery begins, and one that another logon interrupted is superseded."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from kernel.ids import new_id
from venues.models import Recovery
from venues.services.record_session_event import record_session_event


def begin_recovery(*, session: str, group: str, epoch: str, fence: int, mass: bool, at: datetime) -> UUID:
    """``mass``: the venue takes a mass status request. The id of the recovery."""
    recovery_id = new_id()
    with transaction.atomic(durable=True):
        Recovery.objects.filter(session=session, state__in=[Recovery.State.ASKING, Recovery.State.COMPARING]).update(
            state=Recovery.State.SUPERSEDED, finished_at=at, reason="The session logged on again."
        )
        Recovery.objects.create(
            id=recovery_id,
            session=session,
            session_group=group,
            epoch=epoch,
            fence=fence,
            state=Recovery.State.ASKING,
            mass=mass,
            started_at=at,
        )
        record_session_event(session=session, kind="RecoveryBegan", at=at, detail={"recovery_id": str(recovery_id)})
    return recovery_id
