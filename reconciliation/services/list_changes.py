"""Every row of a file that says otherwise than the file applied before it, from the two kept files: nothing of it is stored."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass

from django.db import transaction

from journal.bulk import raw_cursor
from reconciliation.kept_files import kept_path
from reconciliation.models import FeedFile, Intake
from reconciliation.services._since_last import CHANGED, GONE, NEW, fill_since, rows_since
from reconciliation.staging import staged

MOST = 100_000


@dataclass(frozen=True, slots=True)
class Change:
    """``word`` is new, changed or gone; ``line`` that of this file, ``line_before`` that of the other."""

    word: str
    line: int | None
    line_before: int | None
    named: str
    was: str | None
    now: str | None


def list_changes(intake: Intake) -> list[Change]:
    """At most ``MOST``, what is gone first; none where there was no file before. Raises FileProblem."""
    before = FeedFile.objects.filter(pk=intake.since["file_id"]).first() if intake.since.get("file_id") else None
    if before is None:
        return []
    found: list[Change] = []
    with transaction.atomic():
        with raw_cursor() as cursor, ExitStack() as stack:
            now, then = (
                stack.enter_context(
                    staged(cursor, kept_path(file.sha256), intake.kind, format=file.format or None)
                )
                for file in (intake.file, before)
            )  # fmt: skip
            fill_since(cursor, intake.kind, now.table, then.table, names=now.columns | then.columns, whole=False)
            for word in (GONE, NEW, CHANGED):
                found += [Change(*row) for row in rows_since(cursor, word, MOST - len(found))]
        transaction.set_rollback(True)
    return found
