"""Ask for the comparisons that are due: a file that nobody has compared yet, and days whose breaks may have ended meanwhile.

Only rows are written; whoever does runs (a Celery task) finds them. A file that waits already is not asked for again.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from authorisation.domain.principal import Principal
from reconciliation.domain import transitions as moves
from reconciliation.domain.records import RECONCILED
from reconciliation.models import Break, FeedFile, Run
from reconciliation.services.ask_run import ask_run

LOOKED_BACK = timedelta(days=30)
MOST = 50
USABLE = (FeedFile.State.RECEIVED, FeedFile.State.READ, FeedFile.State.PARTLY)


def start_due_runs(
    *, actor: Principal, at: datetime, trigger: str, again: bool = False, sources: Collection[str] = ()
) -> list[UUID]:
    """The runs asked for. ``again``: also the newest file of every day that has open breaks. ``sources``: of these alone.

    Raises NotPermitted RIGHT_MISSING.
    """
    files = FeedFile.objects.filter(
        kind__in=RECONCILED, state__in=USABLE, statement_date__isnull=False, received_at__gte=at - LOOKED_BACK
    )
    if sources:
        files = files.filter(source__in=list(sources))
    newest = files.order_by("kind", "source", "statement_date", "-received_at", "-id")
    due = [file for file in newest.distinct("kind", "source", "statement_date") if not file.runs.exists()]
    if again:
        due += [file for file in _of_open_breaks(files) if file not in due]
    busy = set(Run.objects.filter(state__in=[moves.WAITING, moves.RUNNING]).values_list("file_id", flat=True))
    asked = []
    for file in due[:MOST]:
        if file.id not in busy and file.statement_date is not None:
            run_id = ask_run(kind=file.kind, file=file, as_of=file.statement_date, actor=actor, at=at, trigger=trigger)
            asked.append(run_id)
    return asked


def _of_open_breaks(files: object) -> list[FeedFile]:
    """The file of the last run that saw an open break, each once, oldest first."""
    last = Break.objects.exclude(state=moves.CLOSED).values("last_run__file_id")
    found = FeedFile.objects.filter(id__in=last).filter(id__in=files.values("id"))  # type: ignore[attr-defined]
    return list(found.order_by("received_at", "id"))
