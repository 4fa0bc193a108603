"""Pages of marks that are placed first and drawn last, so that every page can say how many there are.

Nothing here knows a note. Positions in points from the top left; a page that is full begins the next by itself.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from allocations.printing.typeface import BOLD, PLAIN, number, printable, register, shown_by, width

WIDTH, HEIGHT = A4
MARGIN, FOOT = 48.0, 52.0
ROOM = WIDTH - 2 * MARGIN
INK, QUIET, RULE, ALARM = 0.0, 0.38, 0.72, (0.62, 0.07, 0.07)
Mark = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Column:
    """Where its text stands: left of ``x`` when ``right``, else from it on; ``room`` is how wide a line may be."""

    x: float
    room: float
    right: bool = False


@dataclass(slots=True)
class Sheet:
    """Marks by page, and the place reached on the last one. ``on_new_page`` repeats headings, ``top`` is the place below them."""

    pages: list[list[Mark]] = field(default_factory=lambda: [[]])
    y: float = MARGIN
    top: float = MARGIN
    on_new_page: Callable[[], None] | None = None

    def need(self, height: float) -> None:
        """Begin a page unless so much is left on this one."""
        if self.y + height <= HEIGHT - FOOT:
            return
        self.pages.append([])
        self.y = MARGIN
        if self.on_new_page:
            self.on_new_page()
        self.top = self.y

    def write(
        self, text: str, *, x: float = MARGIN, face: str = PLAIN, size: float = 8.5, ink: Any = INK, right: bool = False
    ) -> None:
        """One line at the place reached; the place stays. ``right``: it ends at ``x``."""
        shown, base = printable(text), HEIGHT - self.y - size
        start = x - width(shown, face, size) if right else x

        self.pages[-1].append(lambda canvas: _write(canvas, shown, start, base, face, size, ink))

    def rule(self, *, weight: float = 0.4, ink: Any = RULE, x: float = MARGIN, to: float = WIDTH - MARGIN) -> None:
        """A line across at the place reached."""
        at = HEIGHT - self.y

        drawn = f"{_inked(ink)}\n{number(weight)} w\nn {number(x)} {number(at)} m {number(to)} {number(at)} l S"
        self.pages[-1].append(lambda canvas: canvas.addLiteral(drawn))

    def frame(self, height: float, *, ink: Any = INK) -> None:
        """A box over the whole width, from the place reached down."""
        base = HEIGHT - self.y - height

        def mark(canvas: Any) -> None:
            canvas.addLiteral(_inked(ink))
            canvas.setLineWidth(1)
            canvas.rect(MARGIN, base, ROOM, height, stroke=1, fill=0)

        self.pages[-1].append(mark)

    def paragraph(
        self, text: str, *, x: float = MARGIN, room: float = ROOM, face: str = PLAIN, size: float = 8.5, ink: Any = INK
    ) -> None:
        """Text broken to the width, line under line."""
        for line in wrapped(text, room, face, size):
            self.need(size * 1.35)
            self.write(line, x=x, face=face, size=size, ink=ink)
            self.y += size * 1.35

    def row(self, cells: Sequence[tuple[str, Column]], *, face: str = PLAIN, size: float = 8.5) -> None:
        """One row of a table: every cell broken to its column, figures never."""
        lines = [
            [printable(text)] if column.right else wrapped(text, column.room, face, size) for text, column in cells
        ]
        deepest = max(map(len, lines))
        self.need(deepest * size * 1.35)
        top = self.y
        for (_, column), texts in zip(cells, lines, strict=True):
            self.y = top
            for line in texts:
                self.write(line, x=column.x, face=face, size=size, right=column.right)
                self.y += size * 1.35
        self.y = top + deepest * size * 1.35


def wrapped(text: str, room: float, face: str, size: float) -> list[str]:
    """The text in lines no wider than ``room``: broken between words, within one only where it alone is too wide."""
    lines, line = [], ""
    for word in printable(text).split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer, face, size) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        while width(word, face, size) > room:
            fits = next((n for n in range(len(word) - 1, 1, -1) if width(word[:n], face, size) <= room), 1)
            lines.append(word[:fits])
            word = word[fits:]
        line = word
    return [*lines, line]


def pdf_of(sheet: Sheet, *, title: str, author: str, subject: str, foot: str) -> bytes:
    """The pages as a file. The same marks give the same bytes: no clock, no random id, and streams are stored uncompressed,
    because what compresses them differs between machines."""
    register()
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=(WIDTH, HEIGHT), invariant=1, pageCompression=0, lang="en-GB")
    canvas.setTitle(printable(title))
    canvas.setAuthor(printable(author))
    canvas.setSubject(printable(subject))
    canvas.setCreator("OMS")
    for page, marks in enumerate(sheet.pages, start=1):
        for mark in marks:
            mark(canvas)
        _write(canvas, printable(foot), MARGIN, FOOT / 2, PLAIN, 7.5, QUIET)
        numbered = f"Page {page} of {len(sheet.pages)}"
        _write(canvas, numbered, WIDTH - MARGIN - width(numbered, PLAIN, 7.5), FOOT / 2, PLAIN, 7.5, None)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def _write(canvas: Any, text: str, x: float, base: float, face: str, size: float, ink: Any) -> None:
    """Printable text from ``x`` on; ``ink`` None: as the last mark. Written as operators, as the library's own methods would."""
    shown = f"BT 1 0 0 1 {number(x)} {number(base)} Tm {shown_by(canvas._doc, text, face, size)} T* ET"
    canvas.addLiteral(shown if ink is None else f"{_inked(ink)}\n{shown}")


@cache
def _inked(ink: Any) -> str:
    """Operators that set the colour of what is filled and of what is drawn."""
    red, green, blue = ink if isinstance(ink, tuple) else (ink, ink, ink)
    colour = f"{number(red)} {number(green)} {number(blue)}"
    return f"{colour} rg\n{colour} RG"


__all__ = [
    "ALARM",
    "BOLD",
    "INK",
    "MARGIN",
    "PLAIN",
    "QUIET",
    "ROOM",
    "RULE",
    "WIDTH",
    "Column",
    "Sheet",
    "pdf_of",
    "wrapped",
]
