"""Every row of a file that was or would be left out, with the record as it stands: to be corrected and sent again."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from journal.bulk import raw_cursor
from reconciliation.domain.intake_rules import RULES, Severity
from reconciliation.formats.read_statement import raw_records
from reconciliation.kept_files import kept_path
from reconciliation.models import Intake
from reconciliation.services._weigh_file import ROWS, weigh_file
from reconciliation.services.take_in import staged_with_last

MOST = 100_000
_BROKEN = "SELECT line, rule FROM {rows} WHERE rule IS NOT NULL ORDER BY line LIMIT %s"


@dataclass(frozen=True, slots=True)
class Reject:
    """``record`` is the raw record of the file."""

    line: int
    code: str
    column: str
    sentence: str
    record: str


def list_rejects(intake: Intake) -> list[Reject]:
    """At most ``MOST``, by line; of what cannot even be read the reader's first thousand. Raises FileProblem."""
    found: list[tuple[int, str, str, str]] = []
    with transaction.atomic():
        with raw_cursor() as cursor, staged_with_last(cursor, intake) as (now, before):
            refused = weigh_file(cursor, intake, now, before).refused
            found += [(one.line, one.code, one.column, one.sentence) for one in now.problems.kept]
            if refused:
                cursor.execute(_BROKEN.format(rows=ROWS[intake.kind]), [MOST])
            for line, code in cursor.fetchall() if refused else ():
                rule = RULES[code]
                if rule.severity is Severity.ERROR:
                    found.append((line, code, rule.column, rule.says))
        transaction.set_rollback(True)
    file = intake.file
    raw = raw_records(kept_path(file.sha256), now.header.format, intake.kind, {one[0] for one in found})
    return [Reject(*one, raw.get(one[0], "")) for one in sorted(found)]
