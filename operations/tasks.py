"""Celery tasks of this room: long reads of the night. Lost or run twice, they do no harm."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import UUID

from celery import shared_task
from django.conf import settings

from journal.services.archive_seals import archive_seals
from journal.services.check_archives import check_archives
from kernel.clock import utc_now
from operations.models import Trial
from operations.services.check_invariants import check_invariants
from operations.services.check_replay import check_replay
from operations.services.finish_proof import finish_proof
from operations.services.run_due_days import run_due_days
from operations.services.run_trial import run_trial
from operations.services.send_notice_mail import send_notice_mail

HOURS = 3600
SLICES_A_TASK = 20
STANDS_STILL = timedelta(seconds=15)


@shared_task(name="operations.replay_all", time_limit=4 * HOURS)
def replay_all() -> None:
    """Everything rebuilt from the journal and compared with the tables."""
    check_replay(at=utc_now())


@shared_task(name="operations.finish_proof", time_limit=HOURS)
def finish_proof_of_opening() -> None:
    """What an opening did not wait for; costs one read while there is nothing to finish."""
    finish_proof(at=utc_now())


@shared_task(name="operations.prove_invariants", time_limit=HOURS)
def prove_invariants() -> None:
    """Every check of fsck; what fails becomes an exception."""
    check_invariants(at=utc_now(), truth=Path(settings.VAR_DIR) / "simulator" if settings.MODE == "demo" else None)


@shared_task(name="operations.mail_notices", time_limit=300)
def mail_notices() -> None:
    """Notices that go by mail; costs nothing where no mail server is named."""
    send_notice_mail(at=utc_now())


@shared_task(name="operations.run_due_days", time_limit=4 * HOURS)
def work_due_days() -> None:
    """Begins and ends of days whose time has come, as far as they go now."""
    run_due_days(at=utc_now())


@shared_task(name="operations.archive_days", time_limit=4 * HOURS)
def archive_days() -> None:
    """Every sealed day that is over, then a look at all archives there are."""
    while archive_seals(at=utc_now(), root=settings.ARCHIVE_DIR, build=settings.BUILD) is not None:
        pass
    check_archives(at=utc_now(), root=settings.ARCHIVE_DIR)


@shared_task(name="operations.work_trial")
def work_trial(trial_id: str) -> None:
    """Work some slices of a trial; the rest goes to a new task."""
    for _ in range(SLICES_A_TASK):
        if not run_trial(trial_id=UUID(trial_id), at=utc_now()):
            return
    work_trial.delay(trial_id)


@shared_task(name="operations.resume_trials")
def resume_trials() -> None:
    """Start open trials that stand still: their task was lost."""
    still = Trial.objects.filter(
        state__in=[Trial.State.WAITING, Trial.State.RUNNING], updated_at__lt=utc_now() - STANDS_STILL
    )
    for trial_id in still.order_by("created_at", "id")[:10].values_list("id", flat=True):
        work_trial.delay(str(trial_id))
