"""Named reports as pages and files show them: cells with what they are and where they lead, and the whole as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from authorisation.domain.principal import Principal
from kernel.errors import Invalid
from operations.exporting import Column as FileColumn
from operations.exporting import Heading, Table, make_table
from reconciliation.reports.report import Column, Report, Scope, Shape
from reconciliation.selectors.reports import MOST_ROWS, ReportPage, read_report, scope_of

SHOWN = 200
FIRST = (Shape.WORD, Shape.BREAK)
LARGEST_OFFSET = MOST_ROWS


@dataclass(frozen=True, slots=True)
class Asked:
    """A report as an address asks for it; texts as they came, so that a form can show them again."""

    report: Report
    date: str = ""
    batch: str = ""
    outage: str = ""
    word: str = ""
    offset: int = 0

    @property
    def filter(self) -> dict[str, str]:
        """What narrows it, for headings and addresses."""
        return {"date": self.date, "batch": self.batch, "outage": self.outage, "word": self.word}

    def scope(self, at: datetime) -> Scope:
        """Raises Invalid PARAMETERS_INVALID, and as ``scope_of`` does."""
        return scope_of(self.report, at=at, day=_day(self.date), batch=self.batch, outage=self.outage)


def asked_of(report: Report, query: Mapping[str, str]) -> Asked:
    """Raises Invalid PARAMETERS_INVALID for what is no place in the report."""
    offset = query.get("offset", "") or "0"
    if not (offset.isascii() and offset.isdecimal() and len(offset) <= 5 and int(offset) <= LARGEST_OFFSET):
        raise Invalid(
            "PARAMETERS_INVALID", "Some query parameters are unknown or malformed.", {"offset": ["Not a next of ours."]}
        )
    values = {name: query.get(name, "").strip()[:80] for name in ("date", "batch", "outage", "word")}
    return Asked(report, **values, offset=int(offset))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as problem:
        told = {"date": ["A day as 2026-11-25."]}
        raise Invalid("PARAMETERS_INVALID", "Some query parameters are unknown or malformed.", told) from problem


@dataclass(frozen=True, slots=True)
class ShownCell:
    """``href`` empty: it leads nowhere. ``shape`` says how ``value`` is written."""

    shape: str
    value: Any
    href: str = ""


def page_of(*, actor: Principal, asked: Asked, at: datetime, limit: int = SHOWN) -> ReportPage:
    """One page of rows."""
    return read_report(
        actor=actor, report=asked.report, scope=asked.scope(at), word=asked.word, offset=asked.offset, limit=limit
    )


def shown_rows(page: ReportPage) -> list[list[ShownCell]]:
    """What people read of a page; ids are left to files."""
    places = [page.report.columns.index(column) for column in shown_columns(page.report)]
    return [[_cell(page.report.columns[place].shape, row[place]) for place in places] for row in page.rows]


def shown_columns(report: Report) -> list[Column]:
    """What a row is and the break that explains it first, so that both are seen on a narrow screen; then as the report has them."""
    shown = [column for column in report.columns if column.shape is not Shape.ID]
    return sorted(shown, key=lambda column: FIRST.index(column.shape) if column.shape in FIRST else 2)


def _cell(shape: Shape, value: Any) -> ShownCell:
    lead = {Shape.ORDER: "/o/", Shape.BREAK: "/b/", Shape.RUN: "/recon/"}.get(shape, "") if value else ""
    if shape is Shape.SIDE and value not in ("1", "2", "5", "6"):
        shape = Shape.TEXT
    return ShownCell(shape.value, value, f"{lead}{value}" if lead else "")


def report_table(*, actor: Principal, asked: Asked, heading: Heading) -> Table:
    """All rows up to the bound; the file says when there are more."""
    page = read_report(
        actor=actor, report=asked.report, scope=asked.scope(heading.at), word=asked.word, limit=MOST_ROWS + 1
    )
    columns = [FileColumn(column.name, column.title) for column in asked.report.columns]
    return make_table(heading, columns, page.rows, most=MOST_ROWS)
