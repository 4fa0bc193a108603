"""Put a file of the start of day away: while it is read, or while it waits. Nothing of it is booked."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Conflict, NotFound
from reconciliation.domain import intake_states as states
from reconciliation.locks import lock_intake
from reconciliation.models import Intake
from reconciliation.permissions import require_work
from reconciliation.services._intake_events import set_matter, tell


def cancel_intake(*, actor: Principal, at: datetime, intake_id: UUID, reason: str) -> Intake:
    """The intake, canceled. Raises NotPermitted RIGHT_MISSING, NotFound INTAKE_UNKNOWN, Conflict INTAKE_ENDED."""
    require_work(actor)
    with transaction.atomic():
        if not Intake.objects.filter(pk=intake_id).exists():
            raise NotFound("INTAKE_UNKNOWN", "There is no such file of the start of day.")
        intake = lock_intake(intake_id)
        if intake.state not in (states.STAGED, states.WAITING):
            raise Conflict("INTAKE_ENDED", f"{intake.file.name} is {intake.state} already.")
        intake.cancel()
        intake.sentence, intake.step = reason.strip()[:500] or "Put away by hand.", states.CANCELED
        intake.stepped_at = intake.ended_at = at
        intake.version += 1
        intake.save()
        tell(intake, "IntakeCanceled", actor=actor, at=at)
        set_matter(intake, wrong=False, at=at, actor=actor)
    return intake
