"""From a file to a statement: which format it is, told by its bytes and never by its name, and which reader takes it."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from reconciliation.domain.records import Kind
from reconciliation.formats import bai2, camt_053, csv_file, fix_log, mt940, semt_002
from reconciliation.formats.blocks import UTF8_BOM, opened, refuse_by_begin
from reconciliation.formats.problems import FileCode, FileProblem
from reconciliation.formats.statement import Statement

_LOOKED_AT: Final = 65_536


@dataclass(frozen=True, slots=True)
class Format:
    """``is_it`` looks at the begin of the file; ``kinds`` are those it can be about."""

    name: str
    kinds: frozenset[Kind]
    is_it: Callable[[bytes], bool]
    open: Callable[[Path, Kind], Statement]
    raw: Callable[[Path, Kind, Container[int]], dict[int, str]]


FORMATS: Final[Mapping[str, Format]] = {
    one.name: one
    for one in (
        Format(camt_053.NAME, camt_053.KINDS, camt_053.is_camt_053, camt_053.Camt053Statement, camt_053.raw_entries),
        Format(semt_002.NAME, semt_002.KINDS, semt_002.is_semt_002, semt_002.Semt002Statement, semt_002.raw_balances),
        Format(mt940.NAME, mt940.KINDS, mt940.is_mt940, mt940.Mt940Statement, mt940.raw_fields),
        Format(bai2.NAME, bai2.KINDS, bai2.is_bai2, bai2.Bai2Statement, bai2.raw_lines),
        Format(fix_log.NAME, fix_log.KINDS, fix_log.is_fix_log, fix_log.FixLogStatement, fix_log.raw_messages),
        Format(csv_file.NAME, frozenset(Kind), lambda begin: True, csv_file.CsvStatement, csv_file.raw_lines),
    )
}
"""In the order they are asked; CSV takes what nobody else does and says what its header lacks."""


def open_statement(path: Path, kind: Kind | str, *, format: str | None = None) -> Statement:
    """The statement in a file. ``format`` when it is known; otherwise the content tells. Raises FileProblem."""
    wanted = Kind(kind)
    with opened(path) as file:
        begin = file.read(_LOOKED_AT)
    refuse_by_begin(begin)
    found = detected(begin, wanted) if format is None else _named(format)
    if wanted not in found.kinds:
        sentence = f"The file is {found.name}, which cannot be about {wanted.value}."
        raise FileProblem(FileCode.FORMAT_NOT_OF_KIND, sentence)
    return found.open(path, wanted)


def raw_records(path: Path, format: str, kind: Kind | str, lines: Container[int]) -> dict[int, str]:
    """The records of these lines as they stand in the file, in one pass; for a break's evidence and for reports."""
    return _named(format).raw(path, Kind(kind), lines)


def detected(begin: bytes, kind: Kind) -> Format:
    """The format of a file that begins so. One that begins with a header of the kind is CSV, also if a cell holds FIX."""
    text = begin.removeprefix(UTF8_BOM)
    if csv_file.begins_with_header(text, kind):
        return FORMATS[csv_file.NAME]
    found = next(one for one in FORMATS.values() if one.is_it(text))
    if found.name == csv_file.NAME:  # not told by its content: what is certainly no table is said to be what it is
        fix_log.refuse_other_delimiter(text)
        mt940.refuse_others(text)
        if text.lstrip().startswith(b"<"):
            raise FileProblem(FileCode.FORMAT_UNKNOWN, "The file is XML, but neither camt.053 nor semt.002.")
    return found


def _named(name: str) -> Format:
    if name not in FORMATS:
        sentence = f"{name!r} is no format we read: {', '.join(sorted(FORMATS))}."
        raise FileProblem(FileCode.FORMAT_UNKNOWN, sentence)
    return FORMATS[name]
