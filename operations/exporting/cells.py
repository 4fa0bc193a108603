"""Cells as text that no spreadsheet runs, whatever separates its columns.

A text that begins like a formula gets an apostrophe in front. Where the reader's spreadsheet splits at another separator than
ours, a cell may begin in the middle of a text, so the same is done behind every separator and line end inside it. Numbers
arrive typed and stay as they are: ``-5`` is a number, "-5" typed by a person into a text field is text.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from decimal import Decimal

from kernel.numbers import plain
from operations.exporting.table import Cell, Heading

_STARTERS = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"  # the last four are the full-width forms, which some programs fold
_BEGINS = re.compile(f"^([ \u00a0]*)(?=[{_STARTERS}])")
_INSIDE = re.compile("([;,|\t\r\n][ \u00a0\"']*)(?=[=+\\-@\uff1d\uff0b\uff0d\uff20])")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")


def neutral(text: str) -> str:
    """Text that stays text: see the module."""
    return _INSIDE.sub(r"\1'", _BEGINS.sub(r"\1'", printable(text)))


def printable(text: str) -> str:
    """Control characters, which no form of file can hold, in words; SOH of a FIX message as the usual bar."""
    return _UNPRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text.replace("\x01", "|"))


def cell_text(cell: Cell, heading: Heading) -> str:
    """A cell as plain text, not yet neutral."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, Decimal):
        return plain(cell)
    if isinstance(cell, datetime):
        return heading.local(cell)
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell)


def is_typed(cell: Cell) -> bool:
    """Whether the cell is a figure or a time, which nobody typed: it is written as it is."""
    return not isinstance(cell, str)
