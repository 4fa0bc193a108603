"""Stop a run that has not kept anything yet: it notices at its next step. What was kept stays, as what a run saw."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Conflict
from reconciliation.domain import transitions as moves
from reconciliation.locks import lock_run
from reconciliation.permissions import require_work
from reconciliation.services._keep_breaks import KEPT


def cancel_run(*, run_id: UUID, actor: Principal, at: datetime) -> None:
    """Raises NotPermitted RIGHT_MISSING, NotFound RUN_UNKNOWN, Conflict RUN_ENDED or RUN_KEPT."""
    require_work(actor)
    with transaction.atomic():
        run = lock_run(run_id)
        if run.state in moves.ENDED:
            raise Conflict("RUN_ENDED", "The run has ended; there is nothing to stop.")
        if run.step == KEPT:
            raise Conflict("RUN_KEPT", "What the run found is kept already; it ends in a moment.")
        run.cancel()
        run.finished_at, run.sentence = at, f"Canceled by {actor.actor}."
        run.save(update_fields=["state", "finished_at", "sentence"])
