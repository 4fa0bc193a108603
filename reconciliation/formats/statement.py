"""What every reader gives: a header, rows one at a time, the problems of rows, and what was counted, judged at the end.

A reader of one format only finds records (`records`): texts in the column order of the kind, as the file has them. That a
value can be read, that counts and sums are as said, and what is left out with which code is decided here, once for all
formats. One pass, one row in memory.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

from kernel.numbers import plain
from reconciliation.domain.records import COLUMNS, Kind, Type
from reconciliation.formats.csv_clean import JUDGED, clean_cell
from reconciliation.formats.problems import BadValue, FileCode, FileProblem, NoteCode, Problems, RowCode
from reconciliation.formats.values import Read, reader_of
from reconciliation.formats.words import DEFAULTS

LONGEST_CELL: Final = 1_000
_MOST_REMEMBERED: Final = 4_096  # values of a column, each of at most so many characters
_LONGEST_REMEMBERED: Final = 40
NEED_INSTRUMENT: Final = frozenset({Kind.HOLDINGS, Kind.POSITIONS, Kind.ALLOCATIONS, Kind.SETTLEMENTS})
Record = tuple[int, Sequence[str]]


class Row(NamedTuple):
    """A row that can be used: texts in the column order of the kind, empty where the file does not say.

    ``line`` is where it begins: the line of a text file, from 1; in XML the number of the record, from 1.
    """

    line: int
    values: tuple[str, ...]


@dataclass(slots=True)
class Totals:
    """What the sender says that the file holds: ``rows`` as the kind counts them, sums by column."""

    rows: int | None = None
    sums: dict[str, Decimal] = field(default_factory=dict)


@dataclass(slots=True)
class Header:
    """What the file says about itself; None and empty: it does not say. ``said`` is whole only at the end of the rows.

    ``opening`` and ``closing`` only where the file is about one account. ``proven`` when a trailer, a manifest or the
    format itself shows that nothing is missing at the end.
    """

    format: str
    kind: Kind
    source: str = ""
    reference: str = ""
    statement_date: date | None = None
    cut_at: datetime | None = None
    sequence: int | None = None
    previous: str = ""
    opening: Decimal | None = None
    closing: Decimal | None = None
    said: Totals = field(default_factory=Totals)
    proven: bool = False


@dataclass(frozen=True, slots=True)
class Counted:
    """What was in the file: records seen, rows given, rows left out, sums of the columns the sender summed."""

    records: int
    rows: int
    refused: int
    sums: Mapping[str, Decimal]
    sha256: str


class Statement(ABC):
    """One file of one kind, read once. Use ``rows`` or ``copy_blocks``, not both."""

    decimal_comma = False
    leaves_defaults = False  # whether ``copy_blocks`` left values empty for which empty means something

    def __init__(self, path: Path, kind: Kind, header: Header) -> None:
        self.path = path
        self.kind = kind
        self.header = header
        self.problems = Problems()
        self.notes = Problems()
        self.counted: Counted | None = None
        self.digest_said = ""
        self.columns = COLUMNS[kind]
        self.amounts = tuple((at, one.name) for at, one in enumerate(self.columns) if one.type is Type.AMOUNT)
        self._defaults = tuple(DEFAULTS.get(one.name, "") for one in self.columns)
        self._places = {one.name: at for at, one in enumerate(self.columns)}
        self._memos: tuple[dict[str, str], ...] = tuple({} for _one in self.columns)
        self.good = 0  # rows given so far
        self._refused = 0
        self._refused_sums: dict[str, Decimal] = {}
        self._unsummed: set[str] = set()

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """Every record of the file with its line; raises FileProblem where the file ends being usable."""

    @property
    @abstractmethod
    def sha256(self) -> str:
        """Of the bytes read so far."""

    def rows(self) -> Iterator[Row]:
        """The rows that can be used. Raises FileProblem, also at the very end: nothing of it may be used then."""
        sums = {name: Decimal(0) for _at, name in self.amounts}
        for line, texts in self.records():
            values = self.judge(line, texts)
            if values is None:
                continue
            for at, name in self.amounts:
                if values[at]:
                    sums[name] += Decimal(values[at])
            yield Row(line, values)
        self.finish(sums)

    def copy_names(self) -> tuple[str, ...]:
        """The columns of what ``copy_blocks`` gives, after ``line``."""
        return tuple(column.name for column in self.columns)

    copy_delimiter = ","

    def copy_blocks(self) -> Iterator[str]:
        """The rows as CSV for COPY, in blocks; whoever takes them calls ``finish`` with the sums of what arrived."""
        block: list[str] = []
        for line, texts in self.records():
            values = self.judge(line, texts)
            if values is None:
                continue
            block.append(f"{line},{csv_cells(values)}\n")
            if len(block) == 1_000:
                yield "".join(block)
                block.clear()
        yield "".join(block)

    def judge(self, line: int, texts: Sequence[str]) -> tuple[str, ...] | None:
        """The record in the spelling of staging, or None when a value of it cannot be used; problems are kept."""
        values = list(texts)
        faults = 0
        for at, (is_clean, text) in enumerate(zip(self._gates, texts, strict=True)):
            if not is_clean(text):
                value = self._memos[at].get(text)
                if value is None:
                    value = self._value(line, at, text)
                if value is None:
                    faults, value = faults + 1, ""
                values[at] = value
        if self.kind in NEED_INSTRUMENT and not any(texts[self._places[name]].strip() for name in ("isin", "symbol")):
            faults += self._fault(line, self._places["isin"], RowCode.INSTRUMENT_MISSING, "Neither ISIN nor symbol.")
        if not faults:
            self.good += 1
            return tuple(values)
        self.leave_out(values)
        return None

    def _value(self, line: int, at: int, text: str) -> str | None:
        """One value read; None when it cannot be, which is told. The few that come again and again are remembered."""
        cell, column = text.strip(), self.columns[at]
        if not cell:
            if column.required:
                self._fault(line, at, RowCode.VALUE_MISSING, f"{column.name} is empty.")
                return None
            return self._defaults[at]
        try:
            if len(cell) > LONGEST_CELL:
                raise BadValue(RowCode.TEXT_TOO_LONG, f"A value has more than {LONGEST_CELL:,} characters.")
            value = self._readers[at](cell)
        except BadValue as bad:
            self._fault(line, at, bad.code, bad.sentence)
            if column.type is Type.AMOUNT:
                self._unsummed.add(column.name)
            return None
        memo = self._memos[at]
        if len(memo) < _MOST_REMEMBERED and len(text) <= _LONGEST_REMEMBERED:
            memo[text] = value
        return value

    def leave_out(self, values: Sequence[str]) -> None:
        """A record that is no row: it is counted, and what of it can be summed is, for the sender summed it too."""
        self._refused += 1
        for at, name in self.amounts:
            if values[at]:
                self._refused_sums[name] = self._refused_sums.get(name, Decimal(0)) + Decimal(values[at])

    def lose(self, line: int, code: RowCode, sentence: str, column: str = "") -> None:
        """A record of which no value can be trusted: counted, told, and its sums cannot be judged any more."""
        self.problems.add(line, column, code, sentence)
        self._refused += 1
        self._unsummed.update(name for _at, name in self.amounts)

    def finish(self, sums: Mapping[str, Decimal]) -> None:
        """After the last record: what was said against what was found. ``sums`` are those of the rows that were given."""
        found = {name: sums[name] + self._refused_sums.get(name, Decimal(0)) for name in self.header.said.sums}
        records = self.good + self._refused
        self.counted = Counted(records, self.good, self._refused, found, self.sha256)
        said = self.header.said
        if self.digest_said and self.digest_said != self.sha256:
            sentence = f"The manifest is of another file: it says SHA-256 {self.digest_said[:12]}…, this is {self.sha256[:12]}…."
            raise FileProblem(FileCode.DIGEST_DIFFERS, sentence)
        if said.rows is not None and said.rows != records:
            sentence = f"The file says {said.rows:,} rows and has {records:,}."
            raise FileProblem(FileCode.COUNT_DIFFERS, sentence)
        for name, total in said.sums.items():
            if name in self._unsummed:
                sentence = f"The sum of {name} cannot be judged: rows with unreadable values are left out."
                self.notes.add(0, name, NoteCode.SUM_NOT_JUDGED, sentence)
            elif total != found[name]:
                sentence = f"The file says that {name} sums to {plain(total)}; it is {plain(found[name])}."
                raise FileProblem(FileCode.SUM_DIFFERS, sentence)
        if not self.header.proven:
            sentence = "Nothing in the file or beside it proves that its end is not missing: no trailer, no manifest."
            self.notes.add(0, "", NoteCode.NOT_PROVEN_WHOLE, sentence)

    def _fault(self, line: int, at: int, code: RowCode, sentence: str) -> int:
        self.problems.add(line, self.columns[at].name, code, sentence)
        return 1

    @cached_property
    def _gates(self) -> tuple[Callable[[str], object], ...]:
        """What tells a value that is in our spelling; none where a pattern only half judges it."""
        return tuple(_never if one.name in JUDGED else clean_cell(one) for one in self.columns)

    @cached_property
    def _readers(self) -> tuple[Read, ...]:
        return tuple(reader_of(one, decimal_comma=self.decimal_comma) for one in self.columns)


def _never(_text: str) -> None:
    return None


def csv_cells(values: Sequence[str], delimiter: str = ",") -> str:
    """One line of CSV (RFC 4180) without its end. The values hold no line ends: staging takes no control characters."""
    joined = delimiter.join(values)
    if '"' not in joined and joined.count(delimiter) == len(values) - 1:
        return joined
    return delimiter.join(
        ['"' + one.replace('"', '""') + '"' if '"' in one or delimiter in one else one for one in values]
    )
