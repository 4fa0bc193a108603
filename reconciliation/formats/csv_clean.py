"""Which lines of a CSV the database may read as they stand: exactly those whose every value is already in our spelling.

One pattern for a whole line, made from the columns in the order of the file. It is narrower than what PostgreSQL would
take: no quotes, no blanks at ends, no NaN, exponent or grouping, no `today`, only days that exist, only times with a zone. So
what passes can be typed and means what it says; everything else goes to the reader that explains. That is what makes the
copy safe without reading a single value in Python. Quantifiers are possessive: no cell is read twice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from reconciliation.domain.records import Column, Type
from reconciliation.formats.values import NEVER_NEGATIVE
from reconciliation.formats.words import DEFAULTS, OPEN, WORDS

_DAY: Final = r"(?:19|20|21)\d\d-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))"
_CLOCK: Final = r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6}+)?+(?:Z|[+-](?:0\d|1[0-4]):[0-5]\d)"
JUDGED: Final = ("isin", "currency", "base_currency", "lei")
"""Columns that a pattern can only half judge: the few different values they have are judged once each."""

Match = Callable[[str], re.Match[str] | None]


def clean_line(
    columns: Sequence[Column | None], delimiter: str, *, judged: Sequence[str] = JUDGED, full: bool
) -> Match:
    """What matches a clean line of these columns (None: not ours, anything plain), with a group for each judged one.

    ``full``: none of those is empty for which empty means something (`words.DEFAULTS`), so nothing is left to fill in.
    """
    end = re.escape(delimiter)
    cells = [_cell(one, end, judged, full=full) for one in columns]
    return re.compile(f"(?!#){end.join(cells)}", re.ASCII).fullmatch


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
