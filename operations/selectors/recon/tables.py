"""The lists of the reconciliation pages as tables to export: the same rows, every column."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from authorisation.domain.principal import Principal
from operations.domain.recon_words import BUCKETS, BY_NAME
from operations.exporting import MOST_ROWS, Column, Heading, Table, make_table
from operations.exporting.table import Cell
from operations.selectors.recon.ageing import list_ageing, list_coming_back, list_recurrence
from operations.selectors.recon.breaks import BreakRow, with_matters
from operations.selectors.recon.differences import RunDiff
from operations.selectors.recon.runs import RunRow
from reconciliation.models import Run, RunBreak
from reconciliation.selectors.seeing import break_sight

AT_ONCE = 5_000


def _columns(**titles: str) -> tuple[Column, ...]:
    return tuple(Column(name, title) for name, title in titles.items())


RUNS = _columns(
    kind="Kind", source="Source", as_of="Date", trigger="Started", started_by="Started by", state="State",
    created_at="Asked for at", finished_at="Ended at", seconds="Seconds", internal="Ours", external="Theirs",
    matched="Matched", share="Matched %", new="New", standing="Standing", closed="Closed", file="File",
    sha256="SHA-256 of the file", signed_by="Signed off by", signed_at="Signed off at", id="Id",
)  # fmt: skip
BREAKS = _columns(
    ref="Break", word="In this run", category="Category", about="About", exposure="Exposure", currency="Currency",
    why="Why", suggestion="Suggested", date="Date", since="Since", state="State", ended="How it ended", owner="Owner",
    effect="What it stops", file="File", line="Line", key="Key",
)  # fmt: skip
AGEING = _columns(
    kind="Kind", source="Source", category="Category",
    **{f"bucket_{place}": title.capitalize() for place, (title, _) in enumerate(BUCKETS)},
    total="Open", accepted="Accepted as timing", net="Exposure",
)  # fmt: skip
RECURRENCE = _columns(kind="Kind", source="Source", category="Category", found="Found", came_back="Came back")
COMING_BACK = _columns(ref="Break", times="Times", category="Category", source="Source", why="Why", state="State")
DIFFERENCE = _columns(part="Part", reason="Why it is there", **{one.name: one.title for one in BREAKS})


def runs_table(*, heading: Heading, rows: Iterable[RunRow]) -> Table:
    """As listed."""
    return make_table(heading, RUNS, (_run_cells(row) for row in rows))


def _run_cells(row: RunRow) -> tuple[Cell, ...]:
    run = row.run
    totals = (run.internal, run.external, run.matched) if row.totals else (None, None, None)
    seconds = None if row.lasted_s is None else int(row.lasted_s)
    return (
        run.kind, run.source, run.as_of, run.get_trigger_display(), row.by, run.state, run.created_at, run.finished_at,
        seconds, *totals, row.share, row.counts["new"], row.counts["standing"], row.counts["closed"],
        run.file.name if run.file else "", run.file.sha256 if run.file else "", row.signed_by, run.signed_at, str(run.pk),
    )  # fmt: skip


def breaks_of_run(
    *, actor: Principal, run: Run, at: datetime, family: str = "", word: str = "", most: int = MOST_ROWS + 1
) -> Iterator[BreakRow]:
    """Every break of a run that the actor sees, by number, read in slices."""
    seen = RunBreak.objects.filter(break_sight(actor, before="item__"), run=run)
    if family in BY_NAME:
        seen = seen.filter(item__category__in=BY_NAME[family].categories)
    if word in RunBreak.Word.values:
        seen = seen.filter(word=word)
    found = list(seen.select_related("item").order_by("item__number")[:most])
    for start in range(0, len(found), AT_ONCE):
        part = found[start : start + AT_ONCE]
        words = {one.item_id: one.word for one in part}
        yield from with_matters(actor, [one.item for one in part], at=at, words=words)


def breaks_table(*, heading: Heading, rows: Iterable[BreakRow]) -> Table:
    """Breaks with everything a list shows and the sentence that explains each."""
    return make_table(heading, BREAKS, (break_cells(row) for row in rows))


def break_cells(row: BreakRow) -> tuple[Cell, ...]:
    """One row of :data:`BREAKS`."""
    item = row.item
    line = item.theirs.get("line")
    ended = f"{item.get_closed_as_display()}: {item.closing_sentence}" if item.closed_at else ""
    return (
        item.ref, row.word, item.get_category_display(), row.about, item.exposure, item.exposure_currency, item.why,
        item.suggestion, item.business_date, row.since, item.state, ended, row.owner, item.effect,
        str(item.theirs.get("file", "")), line if isinstance(line, int) else None, item.key,
    )  # fmt: skip


def ageing_table(*, actor: Principal, heading: Heading) -> Table:
    """Open breaks by age."""
    rows: list[tuple[Cell, ...]] = [
        (
            row.kind, row.source, row.category, *row.buckets.values(), row.total, row.accepted,
            "; ".join(f"{amount} {currency}" for currency, amount in sorted(row.net.items())),
        )
        for row in list_ageing(actor=actor, at=heading.at)
    ]  # fmt: skip
    return make_table(heading, AGEING, rows)


def recurrence_table(*, actor: Principal, heading: Heading) -> Table:
    """What came back within thirty days, by source and category."""
    rows = list_recurrence(actor=actor, at=heading.at)
    return make_table(
        heading, RECURRENCE, ((one.kind, one.source, one.category, one.found, one.came_back) for one in rows)
    )


def coming_back_table(*, actor: Principal, heading: Heading) -> Table:
    """The breaks that came back, the most often first."""
    rows = list_coming_back(actor=actor, at=heading.at)
    return make_table(
        heading,
        COMING_BACK,
        ((one.ref, one.recurrence, one.get_category_display(), one.source, one.why, one.state) for one in rows),
    )


def difference_table(*, heading: Heading, diff: RunDiff) -> Table:
    """Two runs beside each other, part by part."""
    return make_table(
        heading,
        DIFFERENCE,
        ((part.title, why, *break_cells(row)) for part in diff.parts for row, why in part.rows),
    )
