"""Which lines of a CSV the database may read as they stand: exactly those whose every value is already in our spelling.

One pattern for a whole line, made from the columns in the order of the file. It is narrower than what PostgreSQL would
take: no quotes, no blanks at ends, no NaN, exponent or grouping, no `today`, only days that exist, only times with a zone. So
what passes can be typed and means what it says; everything else goes to the reader that explains. That is what makes the
copy safe without reading a single value in Python. Quantifiers are possessive: no cell is read twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from reconciliation.domain.records import Column, Type
from reconciliation.formats.values import NEVER_NEGATIVE
from reconciliation.formats.words import DEFAULTS, OPEN, WORDS

_DAY: Final = r"(?:19|20|21)\d\d-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))"
_CLOCK: Final = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6}+)?+(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)"
JUDGED: Final = ("isin", "currency", "base_currency", "lei")
"""Columns that a pattern can only half judge: the few different values they have are judged once each."""

Match = Callable[[str], re.Match[str] | None]
Find = Callable[[str], list[tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class Clean:
    """``line`` matches a clean line, with a group for each judged column. ``lines`` gives those groups for every clean line of
    a block of whole lines, at half the cost: as many as the block has lines if all are clean, else fewer."""

    line: Match
    lines: Find


def clean_of(columns: Sequence[Column | None], delimiter: str, *, judged: Sequence[str] = JUDGED, full: bool) -> Clean:
    """For lines of these columns (None: not ours, anything plain).

    ``full``: none of those is empty for which empty means something (`words.DEFAULTS`), so nothing is left to fill in.
    """
    end = re.escape(delimiter)
    cells = [_cell(one, end, judged, full=full) for one in columns]
    pattern = f"(?!#){end.join(cells)}"
    # A match begins at the begin of a line alone and takes it to its end: no line gives two, and none a part of itself.
    block = re.compile(f"^{pattern}\n", re.ASCII | re.MULTILINE)
    return Clean(re.compile(pattern, re.ASCII).fullmatch, _tuples(block))


def _tuples(block: re.Pattern[str]) -> Find:
    """``findall`` gives bare texts where there is one group, and whole lines where there is none."""
    if block.groups > 1:
        return block.findall
    if block.groups:
        return lambda text: [(found,) for found in block.findall(text)]
    return lambda text: [()] * len(block.findall(text))


def clean_cell(column: Column) -> Match:
    """What matches one value of this column that is in our spelling already; empty only where that means nothing."""
    if column.type is Type.AMOUNT:
        sign = "" if column.name in NEVER_NEGATIVE else "(?:-(?!0$))?"
        shape = rf"{sign}(?:0|[1-9]\d{{0,15}}+)(?:\.\d{{0,7}}[1-9])?"
        return re.compile(shape if column.required else f"(?:{shape})?", re.ASCII).fullmatch
    return re.compile(_cell(column, "", (), full=True), re.ASCII).fullmatch


def _cell(column: Column | None, end: str, judged: Sequence[str], *, full: bool) -> str:
    if column is None:
        return rf'[^{end}"\x00-\x1f\x7f]*+'
    shape = _shape(column, end)
    if column.name in judged:
        return f"({shape})" if column.required else f"({shape}|)"
    return shape if column.required or (full and column.name in DEFAULTS) else f"(?:{shape})?+"


def _shape(column: Column, end: str) -> str:
    if column.type is Type.AMOUNT:
        sign = "" if column.name in NEVER_NEGATIVE else "-?"
        return sign + r"\d{1,16}+(?:\.\d{1,8}+)?+"
    if column.type is Type.DATE:
        return _DAY
    if column.type is Type.INSTANT:
        return f"{_DAY}[T ]{_CLOCK}"
    match column.name:
        case "isin":
            return r"[A-Z]{2}[A-Z0-9]{9}\d"
        case "currency" | "base_currency":
            return "[A-Z]{3}"
        case "mic":
            return "[A-Z0-9]{4}"
        case "lei":
            return r"[A-Z0-9]{18}\d\d"
        case name if name in OPEN:
            return r"\d"
        case name if name in WORDS:
            return f"(?:{'|'.join(sorted({re.escape(word) for word in WORDS[name].values()}))})"
        case _:
            return rf'(?! )[^{end}"\x00-\x1f\x7f]{{1,{column.longest}}}+(?<! )'
