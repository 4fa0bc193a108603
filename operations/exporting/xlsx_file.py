"""XLSX: sheets of typed cells. A figure with more digits than a spreadsheet keeps is written as text, never rounded."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from datetime import UTC
from decimal import Decimal
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Font

from operations.exporting.cells import cell_text, is_typed, neutral
from operations.exporting.pdf_file import Section
from operations.exporting.table import Cell, Heading, Table
from operations.exporting.zipping import unzip, zip_of

KEPT_DIGITS = 15
MOST_CHARACTERS = 32_767
_SAVED_AT = re.compile(rb"(<dcterms:modified[^>]*>)[^<]*(<)")


def xlsx_of(table: Table) -> bytes:
    """The whole file; the same bytes for the same table."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(_sheet_title(table.heading.title))
    sheet.freeze_panes = f"A{len(table.facts) + 3}"
    _add_facts(sheet, table.facts, table.heading)
    sheet.append([])
    _add_rows(sheet, table)
    return _saved(book, table.heading)


def xlsx_of_document(heading: Heading, sections: Sequence[Section], facts: Sequence[tuple[str, str]]) -> bytes:
    """A sheet of what is said, then one for each table; the same bytes for the same content."""
    book = Workbook(write_only=True)
    first = book.create_sheet("Summary")
    _add_facts(first, [("Report", heading.title), *facts], heading)
    for section in sections:
        first.append([])
        first.append([_cell(first, section.title, heading, bold=True)])
        for sentence in section.sentences:
            first.append([_cell(first, sentence, heading)])
        if section.table is not None:
            sheet = book.create_sheet(_sheet_title(section.title))
            sheet.freeze_panes = "A2"
            _add_rows(sheet, section.table)
    return _saved(book, heading)


def _add_facts(sheet: Any, facts: Iterable[tuple[str, str]], heading: Heading) -> None:
    for name, value in facts:
        sheet.append([_cell(sheet, name, heading, bold=True), _cell(sheet, value, heading)])


def _add_rows(sheet: Any, table: Table) -> None:
    sheet.append([_cell(sheet, column.title, table.heading, bold=True) for column in table.columns])
    for row in table.rows:
        sheet.append([_cell(sheet, cell, table.heading) for cell in row])


def _saved(book: Workbook, heading: Heading) -> bytes:
    at = heading.at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    book.properties.creator = "OMS"
    book.properties.created = at
    buffer = io.BytesIO()
    book.save(buffer)
    return _settled(buffer.getvalue(), f"{at:%Y-%m-%dT%H:%M:%SZ}".encode())


def _cell(sheet: Any, cell: Cell, heading: Heading, *, bold: bool = False) -> Any:
    """A typed cell of the sheet; text is marked as text, so that nothing in it is ever a formula."""
    made: Any = WriteOnlyCell(sheet)
    if _is_figure(cell):
        made.value = cell
        return made
    text = cell_text(cell, heading)
    if text:
        made.value = "-"  # typed below: what is set here is looked at for formulas and errors
        made._value = (text if is_typed(cell) else neutral(text))[:MOST_CHARACTERS]
        made.data_type = "s"
    if bold:
        made.font = Font(bold=True)
    return made


def _is_figure(cell: Cell) -> bool:
    if isinstance(cell, bool) or not isinstance(cell, int | Decimal):
        return False
    digits = Decimal(cell).normalize().as_tuple().digits
    return Decimal(cell).is_finite() and len(digits) <= KEPT_DIGITS


def _sheet_title(title: str) -> str:
    return re.sub(r"[^\w .-]", " ", title)[:31].strip() or "Export"


def _settled(data: bytes, at: bytes) -> bytes:
    """The archive without the moment at which it was written."""
    parts = unzip(data)
    core = "docProps/core.xml"
    parts[core] = _SAVED_AT.sub(rb"\g<1>" + at + rb"\g<2>", parts[core])
    return zip_of(parts)
