"""Celery tasks of this room. Each may be lost or run twice without harm: what it leaves open the next beat begins again."""

from __future__ import annotations

from celery import shared_task

from allocations.services.collect_status_files import collect_status_files
from allocations.services.deliver_notes import deliver_notes
from allocations.services.issue_due_notes import issue_due_notes
from kernel.clock import utc_now

LONGEST_S = 1800


@shared_task(name="allocations.issue_notes", time_limit=LONGEST_S)
def issue_notes() -> None:
    """Contract notes that are due are issued, and whatever was issued is put into the outgoing directory."""
    issue_due_notes(at=utc_now())
    while deliver_notes(at=utc_now()):
        pass


@shared_task(name="allocations.collect_status_files")
def collect_settlement_folders() -> None:
    """What custodians have put into their folders is taken in."""
    collect_status_files(at=utc_now())
