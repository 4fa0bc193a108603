"""What a sender says about a file beside its rows: `#STATEMENT` and `#TRAILER` lines in it, or a manifest beside it.

    #STATEMENT kind=positions source=CUSTODIAN date=2026-11-25 cut=2026-11-25T22:00:00Z sequence=118
    #TRAILER rows=3 sum.qty=1200

A file that begins with `#STATEMENT` must end with `#TRAILER`: so any cut of it is noticed. The manifest is a JSON object
in `<file>.manifest` with the same words (`rows`, `sums`, `sha256`, `source`, `date`, `cut`, `sequence`, `previous`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from reconciliation.domain.records import COLUMNS, Kind, Type
from reconciliation.formats.problems import BadValue, FileCode, FileProblem
from reconciliation.formats.statement import Header
from reconciliation.formats.values import read_date, read_instant, read_number

STATEMENT: Final = "#STATEMENT"
TRAILER: Final = "#TRAILER"
MANIFEST_SUFFIX: Final = ".manifest"
CONTROLLED: Final[Mapping[Kind, str]] = {
    Kind.CASH: "amount",
    Kind.HOLDINGS: "qty",
    Kind.POSITIONS: "qty",
    Kind.ORDERS: "order_qty",
    Kind.OPEN_ORDERS: "order_qty",
    Kind.EXECUTIONS: "last_qty",
    Kind.ALLOCATIONS: "qty",
    Kind.SETTLEMENTS: "qty",
}
"""The column that a bare ``sum`` is of."""
_LARGEST_MANIFEST: Final = 65_536
_PAIR = re.compile(r"([A-Za-z_][\w.]*)\s*=\s*(\"[^\"]*\"|[^\s,;|\"]+)")
_HEX = re.compile(r"[0-9a-f]{64}")


def pairs_of(line: str) -> dict[str, str]:
    """``word=value`` by ``word=value``; a value with blanks stands in double quotes."""
    return {name.lower(): value.strip('"') for name, value in _PAIR.findall(line)}


def take_statement(header: Header, line: str, number: int) -> None:
    """A `#STATEMENT` line into the header."""
    _take(header, pairs_of(line), where=f"line {number}")


def take_trailer(header: Header, line: str, number: int) -> None:
    """A `#TRAILER` line into the header: it must at least count the rows."""
    said = pairs_of(line)
    if "rows" not in said:
        raise FileProblem(
            FileCode.TRUNCATED, f"The trailer in line {number} does not say rows=…: it is cut.", line=number
        )
    _take(header, said, where=f"line {number}")
    header.proven = True


def take_manifest(header: Header, path: Path) -> str:
    """The manifest beside the file into the header, when there is one. Returns the digest that it says, or nothing."""
    manifest = path.with_name(path.name + MANIFEST_SUFFIX)
    try:
        with manifest.open("rb") as file:
            text = file.read(_LARGEST_MANIFEST + 1)
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise FileProblem(FileCode.MANIFEST_INVALID, f"The manifest cannot be read: {error.strerror}.") from error
    said = _object(text)
    sums = said.pop("sums", {})
    if not isinstance(sums, dict):
        raise FileProblem(FileCode.MANIFEST_INVALID, "sums of the manifest is no object of column and text.")
    texts = {name.lower(): _plain(name, value) for name, value in said.items() if value is not None}
    texts |= {f"sum.{name}": _plain(name, value) for name, value in sums.items()}
    digest = texts.pop("sha256", "").lower()
    if digest and _HEX.fullmatch(digest) is None:
        raise FileProblem(FileCode.MANIFEST_INVALID, "sha256 of the manifest is no SHA-256: 64 hexadecimal digits.")
    _take(header, texts, where="the manifest")
    header.proven = header.proven or bool(digest) or header.said.rows is not None
    return digest


def _object(text: bytes) -> dict[str, Any]:
    try:
        said = json.loads(text) if len(text) <= _LARGEST_MANIFEST else None
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise FileProblem(FileCode.MANIFEST_INVALID, "The manifest is no JSON object of at most 64 kB.")
    return said


def _plain(name: str, value: Any) -> str:
    """Numbers as texts, so that no float comes near them; a whole number may stand as it is."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**18:
        return str(value)
    raise FileProblem(FileCode.MANIFEST_INVALID, f"{name} of the manifest is neither text nor a whole number.")


def _take(header: Header, said: Mapping[str, str], *, where: str) -> None:
    """What is known is taken, what is not is nobody's harm; what cannot be read makes the file unusable."""
    try:
        _take_names(header, said)
        for name, value in said.items():
            if name == "sum" or name.startswith("sum."):
                column = CONTROLLED.get(header.kind, "") if name == "sum" else name.removeprefix("sum.")
                header.said.sums[_summable(header.kind, column)] = Decimal(read_number(value))
    except (BadValue, ValueError) as error:
        sentence = error.sentence if isinstance(error, BadValue) else str(error)
        raise FileProblem(FileCode.DIRECTIVE_INVALID, f"{where.capitalize()}: {sentence}") from error


def _take_names(header: Header, said: Mapping[str, str]) -> None:
    if said.get("kind", header.kind.value).lower() != header.kind.value:
        sentence = f"The file says that it is about {said['kind']}, {header.kind.value} is expected."
        raise FileProblem(FileCode.KIND_DIFFERS, sentence)
    header.source = said.get("source", header.source)[:64]
    header.previous = said.get("previous", header.previous)[:64]
    if "date" in said:
        header.statement_date = date.fromisoformat(read_date(said["date"]))
    if "cut" in said:
        header.cut_at = datetime.fromisoformat(read_instant(said["cut"]))
    for name in ("opening", "closing"):
        if name in said:
            setattr(header, name, Decimal(read_number(said[name])))
    if "sequence" in said:
        header.sequence = _count("sequence", said["sequence"])
    if "rows" in said:
        header.said.rows = _count("rows", said["rows"])


def _count(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise ValueError(f"{name} is no whole number.")
    return int(text)


def _summable(kind: Kind, column: str) -> str:
    if column not in {one.name for one in COLUMNS[kind] if one.type is Type.AMOUNT}:
        raise ValueError(f"a sum of {column or 'nothing'} is not one that {kind.value} have.")
    return column
