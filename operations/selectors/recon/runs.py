"""Runs as people see them: what was compared with what, how far it is, and how many breaks of theirs it found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from django.db.models import Count, Q

from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from operations.domain.recon_words import seconds_left, share_matched
from operations.selectors.audit.timeline import names_of_actors
from reconciliation.domain.records import RECONCILED
from reconciliation.domain.transitions import ENDED
from reconciliation.models import FeedFile, Run, RunBreak
from reconciliation.selectors.seeing import break_sight, sees_everything, sees_totals

PAGE = 50


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run with the counts of the breaks the actor sees; ``totals`` False: how many records there were is not for them."""

    run: Run
    by: str
    signed_by: str
    counts: dict[str, int]
    totals: bool
    at: datetime

    @property
    def is_moving(self) -> bool:
        return self.run.state not in ENDED

    @property
    def lasted(self) -> timedelta | None:
        """How long it took, or has been running."""
        if self.run.started_at is None:
            return None
        return (self.run.finished_at or self.at) - self.run.started_at

    @property
    def lasted_s(self) -> float | None:
        return None if self.lasted is None else self.lasted.total_seconds()

    @property
    def share(self) -> Decimal | None:
        run = self.run
        return share_matched(run.matched, run.internal, run.external) if self.totals else None

    @property
    def left_s(self) -> int | None:
        """How long it still takes at its pace so far."""
        if not self.is_moving or self.lasted is None:
            return None
        return seconds_left(done=self.run.done, total=self.run.total, running_for=self.lasted)

    @property
    def pace(self) -> int | None:
        """Records a second."""
        seconds = self.lasted_s
        return int(self.run.done / seconds) if seconds and self.run.done else None


@dataclass(frozen=True, slots=True)
class RunPage:
    """``rows`` newest first; ``next_before`` asks for the ones behind them."""

    rows: tuple[RunRow, ...]
    next_before: str = ""
    kinds: tuple[str, ...] = field(default=())

    @property
    def is_moving(self) -> bool:
        return any(row.is_moving for row in self.rows)


def list_runs(
    *, actor: Principal, at: datetime, kind: str = "", source: str = "", before: str = "", limit: int = PAGE
) -> RunPage:
    """Newest first, from behind ``before`` (as a page gave it). Four statements, whatever the number of runs."""
    runs = Run.objects.select_related("file").order_by("-created_at", "-id")
    if kind:
        runs = runs.filter(kind=kind)
    if source:
        runs = runs.filter(source=source)
    place = read_place(before)
    if place is not None:
        runs = runs.filter(Q(created_at__lt=place[0]) | Q(created_at=place[0], id__lt=place[1]))
    found = list(runs[: limit + 1])
    shown = found[:limit]
    last = f"{shown[-1].created_at.isoformat()}_{shown[-1].pk}" if found[limit:] else ""
    return RunPage(tuple(rows_of(actor, shown, at=at)), last)


def read_place(before: str) -> tuple[datetime, UUID] | None:
    """Where a page ended, from its ``next_before``; None for anything else."""
    moment, _, run_id = before.partition("_")
    try:
        return datetime.fromisoformat(moment), UUID(run_id)
    except ValueError:
        return None


def get_run(*, actor: Principal, at: datetime, run_id: UUID) -> RunRow:
    """One run. Raises NotFound RUN_UNKNOWN."""
    run = Run.objects.select_related("file").filter(pk=run_id).first()
    if run is None:
        raise NotFound("RUN_UNKNOWN", "There is no such run.")
    return rows_of(actor, [run], at=at)[0]


def rows_of(actor: Principal, runs: Sequence[Run], *, at: datetime) -> list[RunRow]:
    """The runs with who started them and what the actor sees of what they found."""
    names = names_of_actors({name for run in runs for name in (run.started_by, run.signed_by) if name})
    counts = _counts(actor, runs)
    totals = sees_totals(actor)
    return [
        RunRow(
            run=run,
            by=names.get(run.started_by, run.started_by),
            signed_by=names.get(run.signed_by, run.signed_by),
            counts=counts[run.pk],
            totals=totals,
            at=at,
        )
        for run in runs
    ]


def _counts(actor: Principal, runs: Sequence[Run]) -> dict[UUID, dict[str, int]]:
    """New, standing and closed of each: the run's own figures where nothing is hidden, else counted."""
    if sees_everything(actor):
        return {run.pk: {"new": run.written, "standing": run.standing, "closed": run.closed} for run in runs}
    found: dict[UUID, dict[str, int]] = {run.pk: dict.fromkeys(RunBreak.Word.values, 0) for run in runs}
    rows = (
        RunBreak.objects.filter(break_sight(actor, before="item__"), run_id__in=list(found))
        .order_by()
        .values_list("run_id", "word")
        .annotate(number=Count("id"))
    )
    for run_id, word, number in rows:
        found[run_id][word] = number
    return found


def find_run_before(run: Run) -> Run | None:
    """The last run before this one that compared the same kind with the same source and was not given up."""
    return (
        Run.objects.filter(kind=run.kind, source=run.source, state="done")
        .filter(Q(created_at__lt=run.created_at) | Q(created_at=run.created_at, id__lt=run.pk))
        .order_by("-created_at", "-id")
        .first()
    )


def list_sources() -> list[str]:
    """Everybody a run was ever about, by name."""
    return list(Run.objects.order_by("source").values_list("source", flat=True).distinct()[:200])


def list_kept() -> list[FeedFile]:
    """The newest files that could be compared and were not refused, at most 30."""
    files = FeedFile.objects.filter(kind__in=RECONCILED).exclude(state=FeedFile.State.REFUSED)
    return list(files.order_by("-received_at", "-id")[:30])
