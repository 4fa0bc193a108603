"""What can be wrong with a file, and with a row of it: stable codes, each with a sentence for a person.

A `FileProblem` is raised: nothing of such a file may be used. A `RowProblem` is a value: the row is left out, told by line
and column, and the rest goes on. Notes are what was passed over without harm (a column nobody asked for, a report sent
twice). Both lists are bounded, their counts are not: a file with a million bad rows costs no memory.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from kernel.errors import Refused


class FileCode(StrEnum):
    """Why a whole file cannot be used."""

    EMPTY = "FILE_EMPTY"
    COMPRESSED = "FILE_COMPRESSED"
    UNREADABLE = "FILE_UNREADABLE"
    ENCODING = "FILE_ENCODING"
    NUL_BYTES = "FILE_NUL_BYTES"
    FORMAT_UNKNOWN = "FILE_FORMAT_UNKNOWN"
    FORMAT_NOT_OF_KIND = "FILE_FORMAT_NOT_OF_KIND"
    RECORD_TOO_LONG = "FILE_RECORD_TOO_LONG"
    COLUMNS_MISSING = "FILE_COLUMNS_MISSING"
    COLUMN_TWICE = "FILE_COLUMN_TWICE"
    DIRECTIVE_INVALID = "FILE_DIRECTIVE_INVALID"
    MANIFEST_INVALID = "FILE_MANIFEST_INVALID"
    DIGEST_DIFFERS = "FILE_DIGEST_DIFFERS"
    KIND_DIFFERS = "FILE_KIND_DIFFERS"
    TRUNCATED = "FILE_TRUNCATED"
    ROWS_AFTER_END = "FILE_ROWS_AFTER_END"
    COUNT_DIFFERS = "FILE_COUNT_DIFFERS"
    SUM_DIFFERS = "FILE_SUM_DIFFERS"
    BALANCE_DIFFERS = "FILE_BALANCE_DIFFERS"
    STRUCTURE = "FILE_STRUCTURE"
    PAGES_MISSING = "FILE_PAGES_MISSING"
    NOT_COMPLETE = "FILE_NOT_COMPLETE"
    XML_DOCTYPE = "FILE_XML_DOCTYPE"
    XML_BROKEN = "FILE_XML_BROKEN"


class RowCode(StrEnum):
    """Why a row is left out."""

    WIDTH = "ROW_WIDTH"
    QUOTES = "ROW_QUOTES"
    VALUE_MISSING = "VALUE_MISSING"
    TEXT_TOO_LONG = "TEXT_TOO_LONG"
    TEXT_CONTROL = "TEXT_CONTROL"
    NUMBER_INVALID = "NUMBER_INVALID"
    NUMBER_AMBIGUOUS = "NUMBER_AMBIGUOUS"
    NUMBER_TOO_FINE = "NUMBER_TOO_FINE"
    NUMBER_TOO_LARGE = "NUMBER_TOO_LARGE"
    NUMBER_NEGATIVE = "NUMBER_NEGATIVE"
    DATE_INVALID = "DATE_INVALID"
    INSTANT_INVALID = "INSTANT_INVALID"
    INSTANT_WITHOUT_ZONE = "INSTANT_WITHOUT_ZONE"
    ISIN_INVALID = "ISIN_INVALID"
    MIC_INVALID = "MIC_INVALID"
    LEI_INVALID = "LEI_INVALID"
    CURRENCY_INVALID = "CURRENCY_INVALID"
    WORD_UNKNOWN = "WORD_UNKNOWN"
    INSTRUMENT_MISSING = "INSTRUMENT_MISSING"
    FIX_BROKEN = "FIX_BROKEN"
    FIX_BODY_LENGTH = "FIX_BODY_LENGTH"
    FIX_CHECKSUM = "FIX_CHECKSUM"
    BALANCE_MISSING = "BALANCE_MISSING"
    STRUCTURE = "RECORD_STRUCTURE"


class NoteCode(StrEnum):
    """What was passed over without harm."""

    COLUMN_IGNORED = "COLUMN_IGNORED"
    COMMENT_IGNORED = "COMMENT_IGNORED"
    NOT_PROVEN_WHOLE = "NOT_PROVEN_WHOLE"
    MESSAGE_IGNORED = "MESSAGE_IGNORED"
    SENT_AGAIN = "SENT_AGAIN"
    NOT_CHECKSUMMED = "NOT_CHECKSUMMED"
    NOT_BOOKED = "NOT_BOOKED"
    BALANCE_NOT_EXPLAINED = "BALANCE_NOT_EXPLAINED"
    NOT_OPEN = "NOT_OPEN"
    CHARGE_NOT_AN_AMOUNT = "CHARGE_NOT_AN_AMOUNT"
    SUM_NOT_JUDGED = "SUM_NOT_JUDGED"
    BATCH_NOT_SPLIT = "BATCH_NOT_SPLIT"


class FileProblem(Refused):
    """The file cannot be used. ``context["line"]`` says where, when that is known."""

    def __init__(self, code: FileCode, sentence: str, *, line: int = 0) -> None:
        super().__init__(code.value, sentence, {"line": line} if line else None)


@dataclass(frozen=True, slots=True)
class RowProblem:
    """``line`` as :class:`~reconciliation.formats.statement.Row` counts it; ``column`` empty for the whole row."""

    line: int
    column: str
    code: str
    sentence: str


class BadValue(Exception):
    """One value cannot be read; caught where its line and column are known."""

    def __init__(self, code: RowCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Problems:
    """The first ``kept`` problems and the count of every code."""

    MOST_KEPT = 1_000

    def __init__(self) -> None:
        self.kept: list[RowProblem] = []
        self.counts: Counter[str] = Counter()

    def add(self, line: int, column: str, code: StrEnum, sentence: str) -> None:
        """One more; beyond the bound it is only counted."""
        self.counts[code.value] += 1
        if len(self.kept) < self.MOST_KEPT:
            self.kept.append(RowProblem(line, column, code.value, sentence))

    @property
    def total(self) -> int:
        """How many there were."""
        return self.counts.total()

    def __iter__(self) -> Iterator[RowProblem]:
        return iter(self.kept)

    def __len__(self) -> int:
        return self.total


def shown(text: str) -> str:
    """A piece of the file for a sentence: short, printable, quoted."""
    cut = text if len(text) <= 40 else text[:39] + "…"
    return repr(cut)
