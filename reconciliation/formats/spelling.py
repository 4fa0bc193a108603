"""How a CSV spells what it says, told by its first lines: which columns, how many decimals, which form of time.

Only a guess about the rest of the file, and nothing depends on its being right: whoever writes lines in this spelling loses
time where it is wrong, never a difference. None where it is no spelling that is worth writing: then the file is read.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from reconciliation.domain.records import Column, Kind, Type
from reconciliation.formats.blocks import Blocks
from reconciliation.formats.csv_clean import Match, clean_of
from reconciliation.formats.csv_file import CsvStatement
from reconciliation.formats.read_statement import open_statement

_LOOKED_AT: Final = 65_536
_MOST: Final = 200
_FRACTIONS: Final = frozenset({0, 3, 6})
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d([T ])\d\d:\d\d:\d\d(?:\.(\d+))?(Z|\+00:00)", re.ASCII)
_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Spelled:
    """One column. ``said`` is False where most rows leave it empty. ``decimals`` None: as many as there are, without zeros.

    ``fractions``: digits of a second, the shortest that is exact; ``between`` day and clock; ``zone`` is UTC, spelled so.
    """

    name: str
    type: Type
    said: bool = True
    decimals: int | None = None
    fractions: tuple[int, ...] = ()
    between: str = "T"
    zone: str = "Z"


@dataclass(frozen=True, slots=True)
class Spelling:
    """The columns in the order of the file; ``sample`` are clean lines of it, ``is_clean`` tells others."""

    delimiter: str
    columns: tuple[Spelled, ...]
    sample: tuple[str, ...]
    is_clean: Match

    def place(self, name: str) -> int | None:
        """Where a column that says something stands."""
        return next((at for at, one in enumerate(self.columns) if one.name == name and one.said), None)

    def cells(self, name: str) -> list[str]:
        """What the sample says in a column; nothing where it says nothing."""
        at = self.place(name)
        return [] if at is None else [line.split(self.delimiter)[at] for line in self.sample]


def spelling_of(path: Path, kind: Kind | str) -> Spelling | None:
    """Of a CSV all of whose columns are ours. Raises FileProblem as its reader would."""
    statement = open_statement(path, kind)
    if not isinstance(statement, CsvStatement) or "" in statement.csv.names:
        return None
    by_name = {one.name: one for one in statement.columns}
    columns = [by_name[name] for name in statement.csv.names]
    clean = clean_of(columns, statement.copy_delimiter, full=False)
    sample = _sample(path, clean.line)
    rows = [line.split(statement.copy_delimiter) for line in sample]
    spelled = [_spelled(column, [row[at] for row in rows]) for at, column in enumerate(columns)] if rows else []
    known = tuple(one for one in spelled if one is not None)
    if not rows or len(known) < len(columns):
        return None
    return Spelling(statement.copy_delimiter, known, tuple(sample), clean.line)


def _sample(path: Path, is_clean: Match) -> list[str]:
    """Some of the first lines, spread over the first block."""
    for _first, text in Blocks(path, block=_LOOKED_AT, hashed=False):
        lines = [line for line in text[:-1].split("\n") if is_clean(line)]
        return lines[:: len(lines) // _MOST + 1]
    return []


def _spelled(column: Column, values: Sequence[str]) -> Spelled | None:
    """As most of the values are; a column that most rows leave empty says nothing."""
    said = [value for value in values if value]
    if 2 * len(said) < len(values):
        return Spelled(column.name, column.type, said=False)
    if column.type is Type.AMOUNT:
        return Spelled(column.name, column.type, decimals=_decimals(said))
    return _instant(column, said) if column.type is Type.INSTANT else Spelled(column.name, column.type)


def _decimals(said: Sequence[str]) -> int | None:
    """Of numbers without a zero too many as many as there are, of others as many as most have."""
    parts = [value.partition(".")[2] for value in said]
    usual = _most([len(part) for part in parts])
    return usual if usual and (len({*map(len, parts)}) == 1 or any(part.endswith("0") for part in parts)) else None


def _instant(column: Column, said: Sequence[str]) -> Spelled | None:
    found = [one for value in said if (one := _INSTANT.fullmatch(value))]
    if 2 * len(found) < len(said):
        return None
    between, zone = _most([(one[1], one[3]) for one in found])
    fractions = {len(one[2] or "") for one in found if (one[1], one[3]) == (between, zone)}
    shown = tuple(sorted(fractions & _FRACTIONS))
    return Spelled(column.name, column.type, fractions=shown, between=between, zone=zone) if shown else None


def _most(values: Sequence[_Value]) -> _Value:
    return Counter(values).most_common(1)[0][0]
