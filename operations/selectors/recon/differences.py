"""Two runs beside each other: what is new, what stands in both, what is gone, and why it is gone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, QuerySet

from authorisation.domain.principal import Principal
from operations.selectors.recon.breaks import BreakRow, with_matters
from reconciliation.models import Break, Run, RunBreak
from reconciliation.selectors.seeing import break_sight

MOST = 200
STANDS = (RunBreak.Word.NEW, RunBreak.Word.STANDING)


@dataclass(frozen=True, slots=True)
class DiffPart:
    """``rows`` are at most 200 of ``count``, each with the sentence of why it is in this part."""

    title: str
    count: int
    rows: tuple[tuple[BreakRow, str], ...]


@dataclass(frozen=True, slots=True)
class RunDiff:
    """``run`` against the earlier ``other``."""

    run: Run
    other: Run
    new: DiffPart
    standing: DiffPart
    gone: DiffPart

    @property
    def parts(self) -> tuple[DiffPart, ...]:
        return (self.new, self.standing, self.gone)


def compare_runs(*, actor: Principal, run: Run, other: Run, at: datetime, most: int = MOST) -> RunDiff:
    """Both runs are there for everybody who sees the page; of their breaks, only those the actor sees count."""
    here, there = _of(actor, run), _of(actor, other)
    return RunDiff(
        run,
        other,
        _part(actor, "New", here.filter(~_also_in(other)), at, run, most),
        _part(actor, "Standing", here.filter(_also_in(other)), at, run, most),
        _part(actor, "Gone", there.filter(~_also_in(run)), at, run, most),
    )


def _of(actor: Principal, run: Run) -> QuerySet[RunBreak]:
    return RunBreak.objects.filter(break_sight(actor, before="item__"), run=run, word__in=STANDS)


def _also_in(run: Run) -> Exists:
    return Exists(RunBreak.objects.filter(run=run, item_id=OuterRef("item_id"), word__in=STANDS))


def _part(actor: Principal, title: str, found: QuerySet[RunBreak], at: datetime, run: Run, most: int) -> DiffPart:
    seen = list(found.select_related("item").order_by("item__number")[:most])
    count = found.count()
    rows = with_matters(actor, [one.item for one in seen], at=at)
    return DiffPart(title, count, tuple((row, why_in(title, row.item, run)) for row in rows))


def why_in(title: str, item: Break, run: Run) -> str:
    """One sentence: why the break is in this part of the difference."""
    if title == "New":
        return "It came back." if item.recurrence > 1 else "It was not there before."
    if title == "Standing":
        return "Accepted as timing." if item.state == "accepted" else "Nothing has changed."
    if item.closed_at is not None:
        return f"{item.get_closed_as_display()}: {item.closing_sentence}" if item.closing_sentence else item.closed_as
    if item.business_date != run.as_of:
        return f"The later run is about {run.as_of:%d %b %Y}; it is of {item.business_date:%d %b %Y}."
    return "The later run did not see it, and it is not closed."
