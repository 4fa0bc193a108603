"""Keep what reading a whole file found, said by whoever staged it: counts, problems, and whether it could be read at all.

For files that were too large for the door, and for those without a feed. Said twice, it is the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from reconciliation.domain.file_faults import Fault, code_of_problem
from reconciliation.domain.statement_facts import StatementFacts
from reconciliation.formats.problems import FileProblem, RowProblem
from reconciliation.formats.statement import Counted, Header
from reconciliation.locks import lock_file
from reconciliation.models import FeedFile
from reconciliation.services._feed_anomalies import tell_faults
from reconciliation.services._look_into import facts_of
from reconciliation.services.receive_file import fill


def record_reading(
    *,
    file_id: UUID,
    at: datetime,
    header: Header | None = None,
    counted: Counted | None = None,
    problems: Iterable[RowProblem] = (),
    problem: FileProblem | None = None,
) -> FeedFile:
    """``problem``: nothing of the file may be used, and the feed it came by owes another one."""
    with transaction.atomic():
        row = lock_file(file_id)
        facts = StatementFacts(**facts_of(header, counted, problems)) if header else StatementFacts(format=row.format)
        faults = []
        if problem is not None:
            evidence = {"reader": problem.code}
            faults = [Fault(code_of_problem(problem.code), f"{row.name}: {problem.sentence}", evidence=evidence)]
        kept = row.counted.get("closing")
        fill(row, facts, faults, day=facts.day or row.statement_date)
        if kept and "closing" not in row.counted:
            row.counted["closing"] = kept
        row.save(
            update_fields=["format", "cut_at", "sequence", "said", "statement_date", "counted", "problems", "state"]
        )
        if faults and row.feed is not None:
            tell_faults(row.feed, row.name, faults, at=at)
    return row
