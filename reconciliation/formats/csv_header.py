"""The header line of a CSV: which delimiter it uses, which column is which, what is missing, named twice or not asked for.

Names are blind to case, blanks, dashes and underscores, so that FIX names (ClOrdID, LastQty) are ours.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reconciliation.domain.records import COLUMNS, Kind
from reconciliation.formats.problems import FileCode, FileProblem, shown
from reconciliation.formats.words import plain_word

DELIMITERS: Final = (",", ";", "\t", "|")
ALIASES: Final = {
    "orderid": "venue_order_id",
    "securityid": "isin",
    "securityexchange": "mic",
    "lastshares": "last_qty",
    "quantity": "qty",
    "tradingaccount": "account",
    "futsettdate": "settlement_date",
    "settldate": "settlement_date",
}
"""What FIX or habit calls a column of ours, as :func:`plain_word` has it."""


@dataclass(frozen=True, slots=True)
class CsvHeader:
    """``names`` as the file orders them, empty where a column is not ours; ``ignored`` are those, as the file writes them."""

    delimiter: str
    names: tuple[str, ...]
    ignored: tuple[str, ...]

    def places(self, kind: Kind) -> tuple[int, ...]:
        """For each column of the kind where it stands in the file, -1 when it does not."""
        return tuple(self.names.index(one.name) if one.name in self.names else -1 for one in COLUMNS[kind])


def known_names(kind: Kind) -> dict[str, str]:
    """The names a header may use, plain, and the column each is."""
    ours = {plain_word(one.name): one.name for one in COLUMNS[kind]}
    return {**{alias: name for alias, name in ALIASES.items() if name in ours.values()}, **ours}


def _named(cells: Sequence[str], kind: Kind) -> tuple[str, ...]:
    """The column each cell names; another word for a column counts only where the column's own name is not there."""
    plain, known = [plain_word(cell) for cell in cells], known_names(kind)
    own = {plain_word(one.name) for one in COLUMNS[kind]}
    taken = {known[word] for word in plain if word in own}
    return tuple(known.get(word, "") if word in own or known.get(word) not in taken else "" for word in plain)


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of one record. Raises csv.Error for quotes that do not match."""
    return next(csv.reader([line], delimiter=delimiter, strict=True), [])


def looks_like_header(line: str, kind: Kind) -> bool:
    """Whether all columns that must be there are in it."""
    names = _named(_best(line, kind)[2], kind)
    return all(one.name in names for one in COLUMNS[kind] if one.required)


def read_header(line: str, kind: Kind, *, number: int) -> CsvHeader:
    """Raises FileProblem when a required column is missing or one is there twice."""
    _found, delimiter, cells = _best(line, kind)
    while cells and not cells[-1].strip():
        cells = cells[:-1]
    names = _named(cells, kind)
    named = [name for name in names if name]
    twice = sorted({name for name in named if named.count(name) > 1})
    if twice:
        sentence = f"The header has {', '.join(twice)} more than once."
        raise FileProblem(FileCode.COLUMN_TWICE, sentence, line=number)
    missing = [one.name for one in COLUMNS[kind] if one.required and one.name not in named]
    if missing:
        sentence = f"The header of {kind.value} lacks {', '.join(missing)}; it says {shown(line)}."
        raise FileProblem(FileCode.COLUMNS_MISSING, sentence, line=number)
    ignored = tuple(cell.strip() for cell, name in zip(cells, names, strict=True) if not name and cell.strip())
    return CsvHeader(delimiter, names, ignored)


def _best(line: str, kind: Kind) -> tuple[int, str, Sequence[str]]:
    known = known_names(kind)
    best: tuple[int, str, Sequence[str]] = (-1, ",", [])
    for delimiter in DELIMITERS:
        try:
            cells = cells_of(line, delimiter)
        except csv.Error:
            continue
        found = sum(plain_word(cell) in known for cell in cells)
        if found > best[0]:
            best = (found, delimiter, cells)
    return best
