"""What a file that waits would do to the books of now: staged, weighed and rolled back, nothing is kept."""

from __future__ import annotations

from django.db import transaction

from journal.bulk import raw_cursor
from reconciliation.models import Intake
from reconciliation.services._weigh_file import Found, weigh_file
from reconciliation.services.take_in import staged_with_last


def preview_intake(intake: Intake) -> Found:
    """The dry run. Raises FileProblem where the kept file cannot be read any more."""
    with transaction.atomic():
        with raw_cursor() as cursor, staged_with_last(cursor, intake) as (now, before):
            found = weigh_file(cursor, intake, now, before)
        transaction.set_rollback(True)
    return found
