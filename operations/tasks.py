"""Celery tasks of this room: long reads of the night. Lost or run twice, they do no harm."""

from __future__ import annotations

from celery import shared_task

from kernel.clock import utc_now
from operations.services.check_replay import check_replay

HOURS = 3600


@shared_task(name="operations.replay_all", queue="batch", time_limit=4 * HOURS)
def replay_all() -> None:
    """Everything rebuilt from the journal and compared with the tables."""
    check_replay(at=utc_now())
