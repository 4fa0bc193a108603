"""The report of a run: who compared what with which file under which rules, what agreed, every break with its sentence, what
is open by currency, and who took note of it.

It says what is so as of the run's end, its sign-off or the last move of one of its breaks, whichever came last: the same
facts make the same bytes, whoever takes it and when. Who sees a part of the breaks gets a report that says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from authorisation.domain.principal import Principal
from kernel.errors import Conflict
from kernel.numbers import plain
from operations.domain.recon_words import FAMILIES
from operations.exporting import Column, ExportedFile, Heading, Section, export_document, make_table
from operations.exporting.table import Cell
from operations.selectors.recon.breaks import BreakRow
from operations.selectors.recon.runs import RunRow
from operations.selectors.recon.tables import breaks_of_run
from reconciliation.domain.transitions import ENDED
from reconciliation.models import Break

PER_FAMILY = tuple(
    Column(name, title)
    for name, title in (
        ("ref", "Break"), ("word", "In this run"), ("category", "Category"), ("about", "About"), ("exposure", "Exposure"),
        ("currency", "Currency"), ("why", "Why"), ("state", "State"), ("ended", "How it ended"), ("line", "Line"),
    )
)  # fmt: skip
SUMMARY = tuple(
    Column(name, title)
    for name, title in (
        ("family", "Kind of break"), ("found", "Found"), ("new", "New"), ("standing", "Standing"), ("closed", "Closed by it"),
        ("open", "Open"), ("accepted", "Accepted as timing"),
    )
)  # fmt: skip
EXPOSURE = (Column("currency", "Currency"), Column("open", "Open breaks"), Column("exposure", "Exposure"))


def run_report(*, actor: Principal, row: RunRow, form: str) -> ExportedFile:
    """``form`` is pdf, xlsx or json. Raises Conflict RUN_NOT_ENDED, Invalid EXPORT_FORM_UNKNOWN."""
    run = row.run
    if run.state not in ENDED:
        raise Conflict("RUN_NOT_ENDED", "The run is still comparing: its report is made when it has ended.")
    rows = list(breaks_of_run(actor=actor, run=run, at=row.at))
    title = f"Reconciliation of {run.get_kind_display().lower()} with {run.source}, {run.as_of:%d %b %Y}"
    heading = Heading(title, row.signed_by or row.by, _as_of(row, [one.item for one in rows]), "UTC")
    return export_document(heading, _sections(heading, row, rows), _facts(row, heading.at), form)


def _as_of(row: RunRow, items: Sequence[Break]) -> datetime:
    run = row.run
    moments = [run.created_at, run.finished_at, run.signed_at, *(item.closed_at for item in items)]
    return max(moment for moment in moments if moment is not None)


def _facts(row: RunRow, at: datetime) -> list[tuple[str, str]]:
    run = row.run
    lines = [
        ("Run", str(run.pk)),
        ("State", f"{run.get_state_display()}{f': {run.sentence}' if run.sentence else ''}"),
        ("Started by", f"{row.by}, {run.get_trigger_display().lower()}, {_utc(run.created_at)}"),
        ("Compared", f"{_utc(run.started_at)} to {_utc(run.finished_at)}"),
        ("Rules", f"version {run.rules_version}"),
    ]
    if run.file is not None:
        lines += [
            ("File", f"{run.file.name}, {run.file.size:,} bytes, received {_utc(run.file.received_at)}"),
            ("SHA-256 of the file", run.file.sha256),
        ]
    if row.totals:
        share = "nothing was compared" if row.share is None else f"{row.share} % of the longer side, rounded down"
        lines.append(("Records", f"ours {run.internal:,}, theirs {run.external:,}, matched {run.matched:,} ({share})"))
    signed = f"{row.signed_by}, {_utc(run.signed_at)}: {run.sign_off}" if run.signed_by else "Not signed off."
    return [*lines, ("Signed off", signed), ("As of", _utc(at))]


def _sections(heading: Heading, row: RunRow, rows: Sequence[BreakRow]) -> list[Section]:
    return [
        Section("What was found", tuple(_said(row, rows)), make_table(heading, SUMMARY, _summary(rows))),
        Section("Open breaks by currency", (_open_sentence(rows),), make_table(heading, EXPOSURE, _exposure(rows))),
        *(
            Section(family.title, (), make_table(heading, PER_FAMILY, map(_cells, mine)))
            if (mine := [one for one in rows if one.item.category in family.categories])
            else Section(family.title, (family.empty,))
            for family in FAMILIES
        ),
    ]


def _said(row: RunRow, rows: Sequence[BreakRow]) -> list[str]:
    found = sum(one.word != "closed" for one in rows)
    said = [f"{found:,} breaks were found, {row.counts['new']:,} of them new; {row.counts['closed']:,} agree since."]
    if not row.totals:
        said.append("This report holds the breaks its taker may see, which need not be all of the run.")
    if row.run.state == "suspect":
        said.append("The run is suspect: so much differs that the file is doubted, not the books. Nothing acts on it.")
    return said


def _open_sentence(rows: Sequence[BreakRow]) -> str:
    waiting = [one for one in rows if one.item.closed_at is None]
    accepted = sum(one.item.state == "accepted" for one in waiting)
    if not waiting:
        return "Nothing of this run is open."
    return f"{len(waiting):,} breaks are open, {accepted:,} of them accepted as timing until a day."


def _summary(rows: Sequence[BreakRow]) -> list[tuple[Cell, ...]]:
    table: list[tuple[Cell, ...]] = []
    for family in FAMILIES:
        mine = [one for one in rows if one.item.category in family.categories]
        words = [one.word for one in mine]
        states = [one.item.state for one in mine]
        counts = (
            words.count("new") + words.count("standing"),
            *(words.count(w) for w in ("new", "standing", "closed")),
        )
        table.append((family.title, *counts, states.count("open"), states.count("accepted")))
    return table


def _exposure(rows: Sequence[BreakRow]) -> list[tuple[Cell, ...]]:
    sums: dict[str, tuple[int, Decimal]] = {}
    for one in rows:
        if one.item.closed_at is None:
            number, amount = sums.get(one.item.exposure_currency, (0, Decimal(0)))
            sums[one.item.exposure_currency] = number + 1, amount + (one.item.exposure or 0)
    return [
        (currency or "not known", number, Decimal(plain(amount))) for currency, (number, amount) in sorted(sums.items())
    ]


def _cells(row: BreakRow) -> tuple[Cell, ...]:
    item = row.item
    line = item.theirs.get("line")
    ended = f"{item.get_closed_as_display()}: {item.closing_sentence}" if item.closed_at else ""
    if item.state == "accepted":
        ended = f"Accepted as timing until {item.accepted_until}"
    return (
        item.ref, row.word, item.get_category_display(), row.about, item.exposure, item.exposure_currency, item.why,
        item.state, ended, line if isinstance(line, int) else None,
    )  # fmt: skip


def _utc(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "not yet"
