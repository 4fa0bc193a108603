"""Celery tasks of this room. Each may be lost or run twice without harm: what it leaves open the next beat begins again."""

from __future__ import annotations

from celery import shared_task

from kernel.clock import utc_now
from reconciliation.services.collect_files import collect_files

HOURS = 3600


@shared_task(name="reconciliation.collect_files", queue="batch", time_limit=HOURS)
def collect_watched_folders() -> None:
    """What lies complete in the watched folders is taken in."""
    collect_files(at=utc_now())
