"""Compare what the files of a place say with our books: each file that came and was not compared yet, once.

A step of both ends of the day: evening files are compared when the day ends, morning files when it begins. A file that never
comes holds up nothing here: that it is missing is told by the watch over feeds.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from authorisation.domain.principal import process_principal
from operations.domain.day_steps import START, Outcome
from operations.models import DayRun
from reconciliation.domain import transitions as moves
from reconciliation.domain.records import RECONCILED
from reconciliation.formats.problems import FileProblem
from reconciliation.models import FeedFile, Run
from reconciliation.selectors.feeds import GOOD
from reconciliation.services.do_run import do_run
from reconciliation.services.record_reading import record_reading
from reconciliation.services.run_reconciliation import run_reconciliation

ACTOR = process_principal("day")
DAYS_BACK = timedelta(days=7)
COMPARED = (moves.DONE, moves.SUSPECT, moves.CANCELED)


def compare(run: DayRun, at: datetime) -> Outcome:
    """Every such file has a run that ended. Raises what a run fails by: it is tried again.

    A file that turns out unreadable is refused then, and its feed owes another one.
    """
    place = Q(feed__market=run.place) | Q(feed__settlement_calendar=run.place)
    files = FeedFile.objects.filter(
        place, kind__in=RECONCILED, state__in=GOOD, statement_date__range=(run.day - DAYS_BACK, run.day)
    )
    compared = Run.objects.filter(state__in=COMPARED, file__isnull=False).values("file")
    trigger = Run.Trigger.START if run.kind == START else Run.Trigger.NIGHTLY
    results, unreadable = [], 0
    for file in files.exclude(id__in=compared).order_by("statement_date", "received_at", "id"):
        as_of = file.statement_date
        assert as_of is not None  # the range above
        try:
            asked = (
                Run.objects.filter(file=file, state__in=(moves.WAITING, moves.RUNNING)).order_by("created_at").first()
            )
            if asked is not None:  # by whoever saw the file come; do_run refuses while that one does it
                one = do_run(run_id=asked.id, at=at)
            else:
                one = run_reconciliation(kind=file.kind, file=file, as_of=as_of, actor=ACTOR, at=at, trigger=trigger)
        except FileProblem as problem:
            unreadable += 1
            record_reading(file_id=file.id, at=at, problem=problem)
        else:
            results.append(one)
    figures = {
        "runs": len(results),
        "matched": sum(one.matched for one in results),
        "new": sum(one.written for one in results),
        "standing": sum(one.standing for one in results),
        "unreadable": unreadable,
    }
    said = (
        f"{figures['runs']} files were compared: {figures['matched']} records agree, {figures['new']} breaks are new."
    )
    said += f" {unreadable} could not be read and are refused." if unreadable else ""
    return Outcome(True, said if results or unreadable else "No file waited to be compared.", figures)
