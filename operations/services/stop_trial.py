"""Stop a trial: what it found so far stays, and is not attached to anything."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from operations.locks import lock_trial
from operations.models import Trial


def stop_trial(*, actor: Principal, at: datetime, trial_id: UUID) -> Trial:
    """Its owner's alone. Raises NotFound TRIAL_UNKNOWN; one that is over stays as it is."""
    with transaction.atomic():
        trial = lock_trial(trial_id)
        if trial is None or trial.owner_id != actor.user_id:
            raise NotFound("TRIAL_UNKNOWN", "There is no such trial of yours.")
        if trial.state in (Trial.State.WAITING, Trial.State.RUNNING):
            trial.state, trial.updated_at, trial.finished_at = Trial.State.STOPPED, at, at
            trial.save(update_fields=["state", "updated_at", "finished_at"])
        return trial
