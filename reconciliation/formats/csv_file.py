"""CSV of every kind (`docs/formats/csv.md`): RFC 4180 with comma, semicolon, tab or bar, UTF-8 with or without BOM.

Two ways through one file. `records` reads every value. `copy_blocks` hands lines that are clean (`csv_clean`) to the
database as they stand and reads only the others, so that a file of a million clean lines costs about a COPY of it. Both give
the same rows. What somebody knows already (`known_lines`) is counted and left out. On the way `compare_with` tells which
lines another file of the same columns has not (`line_difference`), and `only_lines` is what then is left to read of that one.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from reconciliation.domain.records import Kind
from reconciliation.formats.blocks import LONGEST_LINE, Blocks
from reconciliation.formats.csv_clean import JUDGED, Clean, clean_of
from reconciliation.formats.csv_header import CsvHeader, cells_of, looks_like_header, read_header
from reconciliation.formats.directives import take_manifest, take_statement, take_trailer
from reconciliation.formats.known_lines import KnownLines, Lines
from reconciliation.formats.line_difference import LineDifference
from reconciliation.formats.problems import BadValue, FileCode, FileProblem, NoteCode, RowCode, shown
from reconciliation.formats.statement import NEED_INSTRUMENT, Header, Record, Statement, Totals, csv_cells
from reconciliation.formats.values import reader_of

NAME: Final = "csv"
DAY_COLUMN: Final = "as_of"
_MOST_LINES: Final = 200  # of one record; a quote that nobody closes must not swallow the file
_MOST_FAMILIES: Final = 100_000
_LINES_A_BLOCK: Final = 5_000
_WORD = re.compile(r"#\s*[A-Za-z]+")


class CsvStatement(Statement):
    """A CSV file. The manifest, a `#STATEMENT` line and the header line are read when it is opened."""

    def __init__(self, path: Path, kind: Kind) -> None:
        super().__init__(path, kind, Header(NAME, kind))
        self.digest_said = take_manifest(self.header, path)
        self._blocks: Blocks | _Lines = Blocks(path)
        self._trailer_due = False
        self._ended = False
        self._pending: list[str] = []
        self._pending_from = 0
        self._good_families: set[tuple[str | None, ...]] = set()
        self.csv, self._header_line = self._begin()
        self.decimal_comma = self.csv.delimiter == ";"
        self.copy_delimiter = self.csv.delimiter
        self._at = self.csv.places(kind)
        self.difference: LineDifference | None = None
        for name in self.csv.ignored:
            self.notes.add(
                self._header_line, name[:64], NoteCode.COLUMN_IGNORED, f"{shown(name)} is no column of ours."
            )

    @property
    def sha256(self) -> str:
        return self._blocks.sha256

    def records(self) -> Iterator[Record]:
        for number, line in self._blocks.lines():
            record = self._feed(number, line)
            if record is not None:
                yield record
        self._end()

    def compare_with(self, other: CsvStatement) -> None:
        """While this file is copied, find what differs from the other: in ``difference``, which stays None where their columns do."""
        if (other.csv.names, other.csv.delimiter) == (self.csv.names, self.csv.delimiter):
            day_at = self.csv.names.index(DAY_COLUMN) if DAY_COLUMN in self.csv.names else None
            self.difference = LineDifference(other.blocks_of_rows(), delimiter=self.csv.delimiter, day_at=day_at)

    def blocks_of_rows(self) -> Iterator[tuple[int, str]]:
        """The blocks behind the header line, as they stand; trailer and comments among them."""
        for first, block in self._blocks:
            number, text = self._behind_header(first, block)
            if text:
                yield number, text

    def only_lines(self, lines: Iterable[tuple[int, str]]) -> None:
        """Read these lines instead of the file; what it says of all of them is of no account then. No line is part of a longer record."""
        self._blocks = _Lines((number, line) for number, line in lines if line.strip() and not line.startswith("#"))
        self.header.said = Totals()
        self._header_line, self._trailer_due, self.digest_said = 0, False, ""

    def pass_over(self, known: KnownLines) -> None:
        """Read the file to its end; what is then left to be read is what of it is not ``known``."""
        known.meet(self._lines_of_their_own(known))
        self.good += known.met
        self._blocks = _Lines(sorted(known.raw.items()), self._blocks.sha256)
        self._header_line = 0  # all of them stand behind it

    def _lines_of_their_own(self, known: KnownLines) -> Iterator[Lines]:
        """The lines that are rows by themselves. Within quotes and behind a trailer a line is not what it seems."""
        record: list[str] = []
        ended = False
        for first, text in self.blocks_of_rows():
            lines = text[:-1].split("\n")
            numbers = range(first, first + len(lines))
            if not (record or ended) and known.all_plain(text, len(lines)):
                yield Lines(numbers, lines)
                continue
            own: list[tuple[int, str]] = []
            aside: list[tuple[int, str]] = []
            for number, line in zip(numbers, lines, strict=True):
                if line.startswith("#") and not record:
                    ended = ended or _word_of(line) == "#TRAILER"
                elif record or '"' in line:
                    record.append(line)
                    if not goes_on(record, self.csv.delimiter):
                        record.clear()
                elif not ended and known.is_clean(line):
                    own.append((number, line))
                    continue
                aside.append((number, line))
            yield Lines([number for number, _ in own], [line for _, line in own], aside)

    def copy_names(self) -> tuple[str, ...]:
        """As the file orders them; a column that is not ours is ``ignored_<n>``."""
        return tuple(name or f"ignored_{at}" for at, name in enumerate(self.csv.names))

    def copy_blocks(self) -> Iterator[str]:
        judged = (*JUDGED, "symbol") if self.kind in NEED_INSTRUMENT else JUDGED
        columns = {one.name: one for one in self.columns}
        ours = [columns.get(name) for name in self.csv.names]
        clean = clean_of(ours, self.copy_delimiter, judged=judged, full=True)
        to_fill = clean_of(ours, self.copy_delimiter, judged=judged, full=False)
        names = [name for name in self.csv.names if name in judged]
        for number, text in self.blocks_of_rows():
            if self.difference is not None:
                self.difference.take(number, text)
            lines = text[:-1].split("\n")
            numbers = self._blocks.numbers(number, len(lines))
            if self._all_clean(names, lines, text, clean, to_fill):
                self.good += len(lines)
                yield "".join([f"{at}{self.copy_delimiter}{line}\n" for at, line in zip(numbers, lines, strict=True)])
            else:
                yield "".join(self._one_by_one(names, zip(numbers, lines, strict=True), clean, to_fill))
        self._end()

    def _behind_header(self, number: int, text: str) -> tuple[int, str]:
        """What of a block stands behind the header line, and from which line on."""
        passed = self._header_line - number + 1
        if passed <= 0:
            return number, text
        parts = text.split("\n", passed)
        return self._header_line + 1, parts[passed] if len(parts) > passed else ""

    def _all_clean(self, names: list[str], lines: list[str], text: str, clean: Clean, to_fill: Clean) -> bool:
        """Whether every line of the block may go as it stands."""
        if self._ended or self._pending:
            return False
        for way in (clean, to_fill):
            found = way.lines(text)
            if len(found) == len(lines):
                good = all(values in self._good_families or self._is_good(names, values) for values in set(found))
                self.leaves_defaults = self.leaves_defaults or (good and way is to_fill)
                return good
        return False

    def _one_by_one(
        self,
        names: list[str],
        lines: Iterable[tuple[int, str]],
        clean: Clean,
        to_fill: Clean,
    ) -> Iterator[str]:
        """The lines of a block in which not all are clean: those that are as they stand, the others as they are read."""
        delimiter, good = self.copy_delimiter, self._good_families
        for number, line in lines:
            found = None if self._ended or self._pending else clean.line(line)
            if found is None and not (self._ended or self._pending):
                found = to_fill.line(line)
                self.leaves_defaults = self.leaves_defaults or found is not None
            if found is not None and (found.groups() in good or self._is_good(names, found.groups())):
                self.good += 1
                yield f"{number}{delimiter}{line}\n"
                continue
            record = self._feed(number, line)
            values = None if record is None else self.judge(*record)
            if record is not None and values is not None:
                yield f"{record[0]}{delimiter}{self._as_in_file(values)}\n"

    def _begin(self) -> tuple[CsvHeader, int]:
        """The header, from a short pass of its own; the rows begin behind it."""
        number = 0
        for number, line in Blocks(self.path, block=65_536).lines():
            if line.startswith("#"):
                self._directive(number, line)
            elif line.strip() and not line.lower().startswith("sep="):
                return read_header(line, self.kind, number=number), number
        raise FileProblem(FileCode.EMPTY, "The file has no header line.", line=number)

    def _feed(self, number: int, line: str) -> Record | None:
        """The record that ends with this line, if one does."""
        if number <= self._header_line:
            return None
        if not self._pending:
            if not line.strip():
                return None
            if self._ended:
                sentence = f"Line {number} stands behind the trailer."
                raise FileProblem(FileCode.ROWS_AFTER_END, sentence, line=number)
            if line.startswith("#"):
                self._directive(number, line)
                return None
            self._pending_from = number
        if '"' not in line and not self._pending:
            return self._record(number, line.split(self.csv.delimiter))
        goes_on = bool(self._pending) and '"' not in line
        self._pending.append(line)
        if goes_on and len(self._pending) <= _MOST_LINES:
            return None
        text = "\n".join(self._pending)
        if len(text) > LONGEST_LINE or len(self._pending) > _MOST_LINES:
            bound = f"{_MOST_LINES} lines and {LONGEST_LINE:,} characters"
            sentence = f"The record that begins in line {self._pending_from} does not end within {bound}."
            raise FileProblem(FileCode.RECORD_TOO_LONG, sentence, line=self._pending_from)
        if is_open(text, self.csv.delimiter):
            return None
        self._pending.clear()
        try:
            cells = cells_of(text, self.csv.delimiter)
        except csv.Error:
            self.lose(self._pending_from, RowCode.QUOTES, f"{shown(text)} has quotes that do not match.")
            return None
        return self._record(self._pending_from, cells)

    def _record(self, number: int, cells: list[str]) -> Record | None:
        """The cells in our order. A line of nothing but delimiters is none; empty cells too many at its end do no harm."""
        width = len(self.csv.names)
        while len(cells) > width and not cells[-1].strip():
            cells.pop()
        if len(cells) != width:
            if any(cell.strip() for cell in cells):
                sentence = f"The row has {len(cells)} values, the header {width}."
                self.lose(number, RowCode.WIDTH, sentence)
            return None
        if not any(cell.strip() for cell in cells):
            return None
        return number, [cells[at] if at >= 0 else "" for at in self._at]

    def _as_in_file(self, values: tuple[str, ...]) -> str:
        by_name = dict(zip((one.name for one in self.columns), values, strict=True))
        return csv_cells([by_name.get(name, "") for name in self.csv.names], self.csv.delimiter)

    def _is_good(self, names: list[str], values: tuple[str | None, ...]) -> bool:
        """Whether the values that a pattern only half judges are right; each combination is looked at once."""
        said = {name: value or "" for name, value in zip(names, values, strict=True)}
        if self.kind in NEED_INSTRUMENT and not (said.get("isin") or said.get("symbol")):
            return False
        for column in self.columns:
            value = said.get(column.name)
            if value:
                try:
                    reader_of(column)(value)
                except BadValue:
                    return False
        if len(self._good_families) >= _MOST_FAMILIES:
            self._good_families.clear()
        self._good_families.add(values)
        return True

    def _directive(self, number: int, line: str) -> None:
        match _word_of(line):
            case "#STATEMENT":
                take_statement(self.header, line, number)
                self._trailer_due = True
            case "#TRAILER":
                take_trailer(self.header, line, number)
                self._ended = True
            case _:
                self.notes.add(number, "", NoteCode.COMMENT_IGNORED, f"{shown(line)} is passed over.")

    def _end(self) -> None:
        if self._pending:
            sentence = f"The file ends within the record that begins in line {self._pending_from}."
            raise FileProblem(FileCode.TRUNCATED, sentence, line=self._pending_from)
        if self._trailer_due and not self._ended:
            sentence = "The file begins with #STATEMENT and does not end with #TRAILER: its end is missing."
            raise FileProblem(FileCode.TRUNCATED, sentence)


class _Lines:
    """Single lines in the place of the blocks of a file: as many together as its blocks hold, told by their places among them."""

    def __init__(self, lines: Iterable[tuple[int, str]], sha256: str = "") -> None:
        """Numbers of lines of the file, and the lines without their ends."""
        self._lines = list(lines)
        self.sha256 = sha256

    def __iter__(self) -> Iterator[tuple[int, str]]:
        for start in range(0, len(self._lines), _LINES_A_BLOCK):
            lines = self._lines[start : start + _LINES_A_BLOCK]
            yield start + 1, "".join([f"{line}\n" for _, line in lines])

    def numbers(self, first: int, count: int) -> Sequence[int]:
        """Which lines of the file those of a block are."""
        return [number for number, _ in self._lines[first - 1 : first - 1 + count]]

    def lines(self) -> Iterator[tuple[int, str]]:
        """One after the other."""
        return iter(self._lines)


def _word_of(line: str) -> str:
    """Of a line that begins with the mark of a comment."""
    word = _WORD.match(line)
    return word[0].upper() if word else ""


def begins_with_header(begin: bytes, kind: Kind) -> bool:
    """Whether the first line that is no comment is a header of this kind: then the file is CSV, whatever its cells hold."""
    for line in begin.decode("utf-8", "replace").splitlines()[:100]:
        if line.strip() and not line.startswith("#") and not line.lower().startswith("sep="):
            return looks_like_header(line[:LONGEST_LINE], kind)
    return False


def is_open(text: str, delimiter: str) -> bool:
    """Whether a quote in it is still waiting for its other one."""
    try:
        cells_of(text, delimiter)
    except csv.Error as error:
        return "unexpected end of data" in str(error)
    return False


def raw_lines(path: Path, kind: Kind, lines: Container[int]) -> dict[int, str]:
    """The wanted records as they stand in the file, those over several lines whole."""
    delimiter = CsvStatement(path, kind).csv.delimiter
    found: dict[int, str] = {}
    begun = 0  # a record that the block before left open
    for first, text in Blocks(path, hashed=False):
        rows = text[:-1].split("\n")
        begins = [begun] if begun else []
        begins += [number for number in range(first, first + len(rows)) if number in lines]
        for begin in begins:
            if begin >= first:
                found[begin] = rows[begin - first]
            else:
                found[begin] += f"\n{rows[0]}"
            end = max(begin, first)
            while is_open_record(found[begin], end - begin + 1, delimiter) and end - first + 1 < len(rows):
                end += 1
                found[begin] += f"\n{rows[end - first]}"
            begun = begin if is_open_record(found[begin], end - begin + 1, delimiter) else 0
    return found


def goes_on(record: Sequence[str], delimiter: str) -> bool:
    """Whether the next line belongs to these lines of a record too; beyond so many it is a fault, and it ends."""
    if len(record) > _MOST_LINES:
        return False
    return '"' not in record[-1] or is_open("\n".join(record), delimiter)


def is_open_record(text: str, lines: int, delimiter: str) -> bool:
    """Whether a record of so many lines goes on; one that is longer than any may be does not."""
    return '"' in text and lines < _MOST_LINES and is_open(text, delimiter)
