"""Celery tasks of this room: long reads of the night. Lost or run twice, they do no harm."""

from __future__ import annotations

from pathlib import Path

from celery import shared_task
from django.conf import settings

from kernel.clock import utc_now
from operations.services.check_invariants import check_invariants
from operations.services.check_replay import check_replay
from operations.services.finish_proof import finish_proof

HOURS = 3600


@shared_task(name="operations.replay_all", queue="batch", time_limit=4 * HOURS)
def replay_all() -> None:
    """Everything rebuilt from the journal and compared with the tables."""
    check_replay(at=utc_now())


@shared_task(name="operations.finish_proof", queue="batch", time_limit=HOURS)
def finish_proof_of_opening() -> None:
    """What an opening did not wait for; costs one read while there is nothing to finish."""
    finish_proof(at=utc_now())


@shared_task(name="operations.prove_invariants", queue="batch", time_limit=HOURS)
def prove_invariants() -> None:
    """Every check of fsck; what fails becomes an exception."""
    check_invariants(at=utc_now(), truth=Path(settings.VAR_DIR) / "simulator" if settings.MODE == "demo" else None)
