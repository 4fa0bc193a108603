"""Celery tasks of this room. Each may be lost or run twice without harm: what it leaves open the next beat begins again."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from authorisation.domain.principal import process_principal
from kernel.clock import utc_now
from kernel.errors import OmsError
from reconciliation.domain import intake_states as states
from reconciliation.domain import transitions as moves
from reconciliation.models import Intake, Run
from reconciliation.services.collect_files import collect_files
from reconciliation.services.do_run import do_run
from reconciliation.services.start_due_runs import start_due_runs
from reconciliation.services.work_intake import work_intake

HOURS = 3600


@shared_task(name="reconciliation.collect_files", time_limit=HOURS)
def collect_watched_folders() -> None:
    """What lies complete in the watched folders is taken in."""
    collect_files(at=utc_now())


@shared_task(name="reconciliation.work_run", time_limit=HOURS)
def work_run(run_id: str) -> None:
    """Do a run, or what is left of it; one that another process does is left to it."""
    try:
        do_run(run_id=UUID(run_id), at=utc_now(), now=utc_now, wait_s=0)
    except OmsError:
        return  # the run says why, and an anomaly has told it; or another process does it


@shared_task(name="reconciliation.take_file_in", time_limit=HOURS)
def take_file_in(intake_id: str) -> None:
    """Do an intake, or what is left of it."""
    work_intake(intake_id=UUID(intake_id), at=utc_now())


@shared_task(name="reconciliation.resume_intakes")
def resume_intakes() -> None:
    """Begin again what was begun and is worked by nobody: a word that was lost, a process that is gone."""
    left = Intake.objects.filter(state=states.STAGED).order_by("created_at", "id")
    for intake_id in left.values_list("id", flat=True)[:10]:
        take_file_in.delay(str(intake_id))


@shared_task(name="reconciliation.start_runs")
def start_runs(trigger: str, again: bool = False) -> None:
    """Ask for what is due, and begin whatever waits or was left by a process that is gone."""
    start_due_runs(actor=process_principal("reconciliation"), at=utc_now(), trigger=trigger, again=again)
    unfinished = Run.objects.filter(state__in=[moves.WAITING, moves.RUNNING]).order_by("created_at", "id")
    for run_id in unfinished.values_list("id", flat=True)[:10]:
        work_run.delay(str(run_id))
