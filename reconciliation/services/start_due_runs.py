"""Ask for the comparisons that are due: a file that nobody has compared yet, and days whose breaks may have ended meanwhile.

Only rows are written; whoever does runs (a Celery task) finds them. A file that waits already is not asked for again. What is not
asked for because its kind and source has been compared a moment ago is remembered in that run (``Run.again_at``), and asked for when
the quiet time is over (``compare_again``): a suspicion is put off, never dropped.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import F, QuerySet

from authorisation.domain.principal import Principal
from reconciliation.domain import transitions as moves
from reconciliation.domain.records import RECONCILED
from reconciliation.models import Break, FeedFile, Run
from reconciliation.services.ask_run import ask_run

LOOKED_BACK = timedelta(days=30)
MOST = 50
USABLE = (FeedFile.State.RECEIVED, FeedFile.State.READ, FeedFile.State.PARTLY)


def start_due_runs(
    *,
    actor: Principal,
    at: datetime,
    trigger: str,
    again: bool = False,
    newest: bool = False,
    quiet: timedelta | None = None,
    sources: Collection[str] = (),
    kinds: Collection[str] = RECONCILED,
) -> list[UUID]:
    """The runs asked for. ``again``: also files whose runs all failed, and the newest file of every day that has open breaks;
    ``newest``: also the newest of every kind and source, first; ``quiet``: of no kind and source that had a run of this trigger within
    it, or whose run may have read already what it is asked for: those are remembered; ``sources``, ``kinds``: of these alone.

    Raises NotPermitted RIGHT_MISSING.
    """
    files = FeedFile.objects.filter(
        kind__in=list(kinds), state__in=USABLE, statement_date__isnull=False, received_at__gte=at - LOOKED_BACK
    )
    if sources:
        files = files.filter(source__in=list(sources))
    due = _due(files, again=again, newest=newest)
    busy = dict(Run.objects.filter(state__in=[moves.WAITING, moves.RUNNING]).values_list("file_id", "state"))
    calm = _had_one(trigger, since=at - quiet) if quiet is not None else frozenset()
    asked, put_off = [], set()
    for file in due[:MOST]:
        place, state = (file.kind, file.source), busy.get(file.id)
        if state == moves.WAITING or file.statement_date is None:
            continue
        if state == moves.RUNNING or place in calm:
            put_off.add(place)
            continue
        run_id = ask_run(kind=file.kind, file=file, as_of=file.statement_date, actor=actor, at=at, trigger=trigger)
        asked.append(run_id)
    if quiet is not None:
        _remember(put_off, quiet)
    return asked


def _due(files: QuerySet[FeedFile], *, again: bool, newest: bool) -> list[FeedFile]:
    """Each once: the newest where they are asked for, then those never compared, then those to be compared once more."""
    of_day = files.order_by("kind", "source", "statement_date", "-received_at", "-id")
    days = list(of_day.distinct("kind", "source", "statement_date"))
    tried = Run.objects.filter(file__in=days)
    begun = set((tried.filter(state__in=moves.COMPARED) if again else tried).values_list("file_id", flat=True))
    due = [file for file in days if file.id not in begun]
    if again:
        due += _of_open_breaks(files)
    if newest:
        due = [
            *files.order_by("kind", "source", "-statement_date", "-received_at", "-id").distinct("kind", "source"),
            *due,
        ]
    return list({file.id: file for file in due}.values())


def _of_open_breaks(files: QuerySet[FeedFile]) -> list[FeedFile]:
    """The file of the last run that saw an open break, each once, oldest first."""
    last = Break.objects.exclude(state=moves.CLOSED).values("last_run__file_id")
    found = FeedFile.objects.filter(id__in=last).filter(id__in=files.values("id"))
    return list(found.order_by("received_at", "id"))


def _had_one(trigger: str, *, since: datetime) -> frozenset[tuple[str, str]]:
    """Kinds and sources with a run of the trigger that was asked for after ``since``."""
    return frozenset(Run.objects.filter(trigger=trigger, created_at__gt=since).values_list("kind", "source"))


def _remember(places: Collection[tuple[str, str]], quiet: timedelta) -> None:
    """The last run of each is to be followed by another when its quiet time is over; told again meanwhile, it is still one."""
    for kind, source in sorted(places):
        last = Run.objects.filter(kind=kind, source=source).order_by("-created_at", "-id").values("id")[:1]
        Run.objects.filter(id__in=last).update(again_at=F("created_at") + quiet)
