"""Ask for a comparison: one row that waits, so that a run which nobody lived to finish can be done by another process."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import Invalid
from kernel.ids import new_id
from reconciliation.domain.records import RECONCILED
from reconciliation.models import FeedFile, Run
from reconciliation.permissions import require_work


def ask_run(*, kind: str, file: FeedFile, as_of: date, actor: Principal, at: datetime, trigger: str) -> UUID:
    """Its id. Raises NotPermitted RIGHT_MISSING, Invalid RUN_INVALID."""
    require_work(actor)
    if kind not in RECONCILED:
        sentence = f"{kind} is not reconciled; choose one of {', '.join(RECONCILED)}."
        raise Invalid("RUN_INVALID", sentence, {"kind": [sentence]})
    if trigger not in Run.Trigger.values:
        sentence = f"{trigger} does not start a run."
        raise Invalid("RUN_INVALID", sentence, {"trigger": [sentence]})
    run = Run.objects.create(
        id=new_id(), kind=kind, source=file.source, file=file, as_of=as_of, trigger=trigger, started_by=actor.actor,
        created_at=at,
    )  # fmt: skip
    return run.id
