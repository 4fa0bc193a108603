"""PDF on A4 landscape: a header block, then sections of plain sentences and tables. The same bytes for the same content.

Text is drawn, never parsed as markup. The base fonts know Latin-1: other characters are written as their escapes, because a
wrong name is worse than an ugly one. A table shows at most ``MOST_PDF_ROWS`` rows; the sentence below it says what is not there.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.utils import simpleSplit
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from operations.exporting.cells import cell_text, printable
from operations.exporting.table import Cell, Heading, Table

MOST_PDF_ROWS = 2_000
MOST_LINES_OF_A_CELL = 12
_WIDTH, _HEIGHT = landscape(A4)
_MARGIN, _GAP = 32, 4
_PLAIN, _BOLD = "Helvetica", "Helvetica-Bold"
_SIZE, _LEAD = 6.5, 8.2
_ROOM = _WIDTH - 2 * _MARGIN
_WIDEST, _NARROWEST, _LOOKED_AT = 240, 24, 200


@dataclass(frozen=True, slots=True)
class Section:
    """A title, sentences, and a table where there is one."""

    title: str
    sentences: tuple[str, ...] = ()
    table: Table | None = None


@dataclass(slots=True)
class _Sheet:
    """The canvas with the place reached on it."""

    canvas: Any
    title: str
    y: float = 0.0
    page: int = 0
    repeat: list[tuple[float, list[str]]] = field(default_factory=list)

    def start(self) -> None:
        if self.page:
            self.canvas.showPage()
        self.page += 1
        self.y = _HEIGHT - _MARGIN
        self.canvas.setFont(_PLAIN, _SIZE)
        self.canvas.drawString(_MARGIN, _MARGIN / 2, self.title)
        self.canvas.drawRightString(_WIDTH - _MARGIN, _MARGIN / 2, f"Page {self.page}")

    def room_for(self, height: float) -> bool:
        """True when a new page had to begin."""
        if self.y - height >= _MARGIN:
            return False
        self.start()
        return True

    def say(self, text: str, *, font: str = _PLAIN, size: float = _SIZE + 1.5, indent: float = 0) -> None:
        for line in simpleSplit(_latin(text), font, size, _ROOM - indent) or [""]:
            self.room_for(size * 1.3)
            self.y -= size * 1.3
            self.canvas.setFont(font, size)
            self.canvas.drawString(_MARGIN + indent, self.y, line)


def pdf_of_table(table: Table) -> bytes:
    """One table as a document of its own."""
    return pdf_of(table.heading, [Section("", (), table)], facts=table.facts)


def pdf_of(heading: Heading, sections: Sequence[Section], *, facts: Sequence[tuple[str, str]] = ()) -> bytes:
    """The document. ``facts`` are the lines of the header block, each a name and a value."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(_WIDTH, _HEIGHT), invariant=1, pageCompression=1)
    canvas.setTitle(_latin(heading.title))
    canvas.setAuthor("OMS")
    canvas.setSubject(_latin(f"Taken by {heading.who} at {heading.local(heading.at)}"))
    sheet = _Sheet(canvas, _latin(f"{heading.title} · {heading.who} · {heading.local(heading.at)} ({heading.zone})"))
    sheet.start()
    sheet.say(heading.title, font=_BOLD, size=13)
    sheet.y -= _GAP
    for name, value in facts:
        sheet.say(f"{name}: {value}")
    for section in sections:
        _draw_section(sheet, section)
    canvas.save()
    return buffer.getvalue()


def _draw_section(sheet: _Sheet, section: Section) -> None:
    sheet.y -= 2 * _GAP
    if section.title:
        sheet.room_for(40)
        sheet.say(section.title, font=_BOLD, size=10)
    for sentence in section.sentences:
        sheet.say(sentence)
    if section.table is not None:
        _draw_table(sheet, section.table)


def _draw_table(sheet: _Sheet, table: Table) -> None:
    rows = table.rows[:MOST_PDF_ROWS]
    if not rows:
        sheet.say("No rows.")
        return
    texts = [[_latin(cell_text(cell, table.heading)) for cell in row] for row in rows]
    titles = [_latin(column.title) for column in table.columns]
    widths = _widths(titles, texts)
    numbers = [_holds_numbers(cells) for cells in zip(*rows, strict=True)]
    sheet.room_for(_height(titles, widths, _BOLD) + _height(texts[0], widths))  # no heading alone at the foot of a page
    _draw_row(sheet, titles, widths, bold=True, right=numbers)
    for row, cells in zip(texts, rows, strict=True):
        if sheet.room_for(_height(row, widths)):
            _draw_row(sheet, titles, widths, bold=True, right=numbers)
        _draw_row(sheet, row, widths, right=[_is_number(cell) for cell in cells])
    if len(table.rows) > len(rows):
        sheet.say(f"{len(table.rows) - len(rows):,} more rows are not in this PDF: take them as CSV, XLSX or JSON.")
    if table.left_out:
        sheet.say(table.left_out)


def _draw_row(
    sheet: _Sheet, cells: Sequence[str], widths: Sequence[float], *, bold: bool = False, right: Sequence[bool] = ()
) -> None:
    font = _BOLD if bold else _PLAIN
    top = sheet.y
    sheet.canvas.setFont(font, _SIZE)
    x = float(_MARGIN)
    for place, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        for number, line in enumerate(_lines(cell, width, font), start=1):
            if right and right[place]:
                sheet.canvas.drawRightString(x + width - _GAP, top - number * _LEAD, line)
            else:
                sheet.canvas.drawString(x, top - number * _LEAD, line)
        x += width
    sheet.y = top - _height(cells, widths, font)
    sheet.canvas.setLineWidth(0.6 if bold else 0.2)
    sheet.canvas.line(_MARGIN, sheet.y, _WIDTH - _MARGIN, sheet.y)


def _height(cells: Sequence[str], widths: Sequence[float], font: str = _PLAIN) -> float:
    deepest = max(len(_lines(cell, width, font)) for cell, width in zip(cells, widths, strict=True))
    return deepest * _LEAD + 2.5


def _lines(text: str, width: float, font: str) -> list[str]:
    """The text broken to the width, between words or else within one; beyond the bound an ellipsis says so."""
    room = width - _GAP
    if stringWidth(text, font, _SIZE) <= room and "\n" not in text:
        return [text]
    lines = [piece for line in simpleSplit(text, font, _SIZE, room) for piece in _cut(line, font, room)]
    if len(lines) > MOST_LINES_OF_A_CELL:
        return [*lines[: MOST_LINES_OF_A_CELL - 1], "..."]
    return lines or [""]


def _cut(line: str, font: str, room: float) -> list[str]:
    pieces = []
    while line and stringWidth(line, font, _SIZE) > room:
        fits = next((n for n in range(len(line), 1, -1) if stringWidth(line[:n], font, _SIZE) <= room), 1)
        pieces.append(line[:fits])
        line = line[fits:]
    return [*pieces, line]


def _widths(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
    """As wide as their widest cell of the first rows, within bounds, scaled down to the page; words shrink most."""
    wanted = []
    for place, title in enumerate(titles):
        longest = max((stringWidth(row[place], _PLAIN, _SIZE) for row in rows[:_LOOKED_AT]), default=0)
        header = max(stringWidth(word, _BOLD, _SIZE) for word in (title.split() or [""]))
        wanted.append(min(max(longest, header, _NARROWEST), _WIDEST) + _GAP + 1)
    total = sum(wanted)
    if total <= _ROOM:
        return wanted
    mark = _fair_mark(wanted)
    return [min(width, mark) for width in wanted]


def _fair_mark(wanted: Sequence[float]) -> float:
    """The width to which the widest columns are cut so that all fit."""
    left, room = sorted(wanted), float(_ROOM)
    for place, width in enumerate(left):
        fair = room / (len(left) - place)
        if width > fair:
            return fair
        room -= width
    return max(left)


def _holds_numbers(cells: Sequence[Cell]) -> bool:
    """Whether a column has figures and nothing else: its title stands over them, on the right."""
    said = [cell for cell in cells if cell is not None]
    return bool(said) and all(map(_is_number, said))


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | Decimal) and not isinstance(cell, bool)


def _latin(text: str) -> str:
    """What the base fonts can draw; the rest as escapes."""
    return printable(text).encode("latin-1", "backslashreplace").decode("latin-1")
