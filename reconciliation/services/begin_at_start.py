"""The house starts: what counterparties said last is compared, and the markets concerned open when that is done.

Every file that no run has compared to its end, and every day with open breaks, gets a run of trigger ``start``. A market whose orders or
executions are among them takes nothing that adds risk meanwhile (source ``at_start``), unless the tolerance ``start_hold`` of the
kind and source is 0. The venue's own list of open orders is compared by its session's recovery, which has a gate of its own; what
it changes is compared again when it ends.

Once at each start, before any gateway logs on. Killed, the next start does it again: runs and blocks are one transaction.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import process_principal
from kernel.crash_points import crash_point
from reconciliation.models import Run
from reconciliation.selectors.start import list_held, runs_to_await
from reconciliation.services.start_due_runs import start_due_runs
from reconciliation.services.start_run import start_run
from risk.domain.stops import AT_START
from risk.models import Scope
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block

ACTOR = process_principal("reconciliation")


def begin_at_start(*, at: datetime) -> int:
    """How many runs were asked for."""
    with transaction.atomic():
        asked = start_due_runs(actor=ACTOR, at=at, trigger=Run.Trigger.START, again=True)
        awaited = runs_to_await(at=at)
        for held in list_held():  # of an earlier start: what it waited for and was not done is asked for again
            again = "The house starts again."
            lift_block(actor=ACTOR, at=at, scope=Scope.VENUE, scope_id=held.mic, source=AT_START, reason=again)
        for mic, runs in sorted(awaited.items()):
            impose_block(
                actor=ACTOR, at=at, scope=Scope.VENUE, scope_id=mic, source=AT_START, reason=reason_of(mic, runs)
            )
        crash_point("start.asked")
    for run_id in asked:
        start_run(run_id=run_id)
    return len(asked)


def reason_of(mic: str, runs: list[Run]) -> str:
    """Why the market waits, in a sentence."""
    named = ", ".join(sorted({f"{run.kind} of {run.source} of {run.as_of}" for run in runs})[:5])
    return f"The house has started and {mic} waits until what was said of it is compared: {named}."
