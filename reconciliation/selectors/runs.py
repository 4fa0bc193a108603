"""Runs as people read them: newest first by key, one with its figures, what it found, and how it differs from another.

Who may see that runs exist: whoever works on or decides about breaks, and whoever sees every account (compliance, audit).
A run's breaks are seen by rows (``selectors.breaks``), so its tiles count for each person what that person sees.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet, Sum

from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from reconciliation.domain import transitions as moves
from reconciliation.models import Break, Run, RunBreak
from reconciliation.permissions import require_see_runs
from reconciliation.selectors.breaks import visible_breaks

PAGE = 100


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is. ``eta`` is when it will have ended at the pace so far; None before there is a pace."""

    step: str
    done: int
    total: int
    eta: datetime | None

    @property
    def percent(self) -> int:
        return self.done * 100 // self.total if self.total else 0


@dataclass(frozen=True, slots=True)
class Tile:
    """One category of a run for one person: how many, how many of them new, since when the oldest, and what is at stake."""

    category: str
    count: int
    new: int
    oldest: datetime | None
    exposure: tuple[tuple[str, Decimal], ...]


@dataclass(frozen=True, slots=True)
class RunDiff:
    """Breaks of two runs by id: in the later one only, in both, and in the earlier one only."""

    new: tuple[UUID, ...]
    standing: tuple[UUID, ...]
    gone: tuple[UUID, ...]


def list_runs(
    actor: Principal, *, kind: str = "", source: str = "", before: UUID | None = None, limit: int = PAGE
) -> list[Run]:
    """Newest first; ``before`` is the last id of the page before. Raises NotPermitted for who sees no runs."""
    require_see_runs(actor)
    runs = Run.objects.select_related("file")
    if kind:
        runs = runs.filter(kind=kind)
    if source:
        runs = runs.filter(source=source)
    if before is not None:
        runs = runs.filter(id__lt=before)
    return list(runs.order_by("-id")[: min(limit, PAGE)])


def get_run(actor: Principal, run_id: UUID) -> Run:
    """Raises NotPermitted, NotFound RUN_UNKNOWN."""
    require_see_runs(actor)
    run = Run.objects.select_related("file").filter(pk=run_id).first()
    if run is None:
        raise NotFound("RUN_UNKNOWN", "There is no such run.")
    return run


def get_previous_run(actor: Principal, run: Run) -> Run | None:
    """The one before it of the same kind and source that was completed."""
    require_see_runs(actor)
    earlier = Run.objects.filter(kind=run.kind, source=run.source, state__in=[moves.DONE, moves.SUSPECT], id__lt=run.id)
    return earlier.order_by("-id").first()


def list_open_runs(actor: Principal) -> list[Run]:
    """Waiting and running ones, oldest first."""
    require_see_runs(actor)
    return list(
        Run.objects.select_related("file")
        .filter(state__in=[moves.WAITING, moves.RUNNING])
        .order_by("created_at", "id")[:PAGE]
    )


def progress_of(run: Run, *, at: datetime) -> Progress:
    """By the records worked since it began."""
    eta = None
    if run.started_at is not None and run.state == moves.RUNNING and 0 < run.done < run.total:
        spent = at - run.started_at
        eta = at + timedelta(seconds=spent.total_seconds() * (run.total - run.done) / run.done)
    return Progress(run.step, run.done, run.total, eta)


def breaks_of_run(actor: Principal, run_id: UUID, *, words: Iterable[str] = (), category: str = "") -> QuerySet[Break]:
    """The breaks of a run that the actor sees, largest exposure first within their number. ``words``: new, standing, closed."""
    seen = RunBreak.objects.filter(run_id=run_id)
    if wanted := list(words):
        seen = seen.filter(word__in=wanted)
    found = visible_breaks(actor).filter(id__in=seen.values("item_id"))
    if category:
        found = found.filter(category=category)
    return found.order_by("number")


def tiles_of_run(actor: Principal, run_id: UUID) -> dict[str, Tile]:
    """By category, of what the actor sees among what the run found new or standing; every category is there."""
    found = breaks_of_run(actor, run_id, words=(RunBreak.Word.NEW, RunBreak.Word.STANDING)).order_by()
    new = Q(first_run_id=run_id)
    counts = found.values("category").annotate(n=Count("id"), fresh=Count("id", filter=new), oldest=Min("event_at"))
    sums: dict[str, list[tuple[str, Decimal]]] = {}
    exposed = found.exclude(exposure=None).values("category", "exposure_currency").annotate(total=Sum("exposure"))
    for row in exposed.order_by("category", "exposure_currency"):
        sums.setdefault(row["category"], []).append((row["exposure_currency"], row["total"]))
    tiles = {name: Tile(name, 0, 0, None, ()) for name in Break.Category.values}
    for row in counts:
        name = row["category"]
        tiles[name] = Tile(name, row["n"], row["fresh"], row["oldest"], tuple(sums.get(name, ())))
    return tiles


def diff_runs(actor: Principal, earlier: UUID, later: UUID) -> RunDiff:
    """What the later run found that the earlier one had not, and the other way round, of what the actor sees."""
    found = (RunBreak.Word.NEW, RunBreak.Word.STANDING)
    before = set(breaks_of_run(actor, earlier, words=found).values_list("id", flat=True))
    after = set(breaks_of_run(actor, later, words=found).values_list("id", flat=True))
    return RunDiff(tuple(sorted(after - before)), tuple(sorted(after & before)), tuple(sorted(before - after)))


def history_of_break(actor: Principal, break_id: UUID) -> list[RunBreak]:
    """Every run that saw it, in order. The caller has found the break visible."""
    require_see_runs(actor)
    return list(RunBreak.objects.select_related("run").filter(item_id=break_id).order_by("id"))
