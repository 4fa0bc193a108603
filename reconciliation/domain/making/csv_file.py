"""A book as CSV: as documented, or dressed as some sender would send it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kernel.numbers import plain
from reconciliation.domain.making.sheet import Book, Dice, Record, instant
from reconciliation.domain.records import COLUMNS, Kind, names_of

SUMMED = {
    Kind.CASH: "amount",
    Kind.HOLDINGS: "qty",
    Kind.POSITIONS: "qty",
    Kind.ORDERS: "order_qty",
    Kind.OPEN_ORDERS: "order_qty",
    Kind.EXECUTIONS: "last_qty",
}


@dataclass(frozen=True, slots=True)
class Dress:
    """Habits of senders that change no word of what a file says. ``trailer``: counts and sums, in the file itself."""

    delimiter: str = ","
    bom: bool = False
    crlf: bool = False
    quoted: bool = False
    shuffled: bool = False
    capitals: bool = False
    extra: bool = False
    bare: bool = False
    blanks: int = 0
    trailer: bool = True


PLAIN = Dress()
DRESSES = {
    "semicolon": Dress(delimiter=";"),
    "tab": Dress(delimiter="\t"),
    "bom": Dress(bom=True),
    "crlf": Dress(crlf=True),
    "quoted": Dress(quoted=True),
    "shuffled": Dress(shuffled=True),
    "capitals": Dress(capitals=True),
    "extra_columns": Dress(extra=True),
    "bare": Dress(bare=True),
    "blanks": Dress(blanks=500),
    "everything": Dress(
        delimiter=";", bom=True, crlf=True, quoted=True, shuffled=True, capitals=True, extra=True, bare=True, blanks=1
    ),
    "no_trailer": Dress(trailer=False),
}


def write_csv(book: Book, dress: Dress = PLAIN, *, seed: int = 0) -> tuple[bytes, list[int]]:
    """The bytes, and the line of each record of the book."""
    columns = list(names_of(book.kind))
    if dress.bare:
        required = {column.name for column in COLUMNS[book.kind] if column.required}
        columns = [name for name in columns if name in required or any(record[name] for record in book.records)]
    if dress.shuffled:
        columns = Dice(seed, ("columns",)).order(columns)
    if dress.extra:
        columns = ["house_code", *columns, "Remarks"]
    lines = [_statement(book)] if dress.trailer else []
    lines.append(dress.delimiter.join(_cell(_head(name, dress), dress) for name in columns))
    first = len(lines) + 1
    lines += [_line(record, columns, dress) for record in book.records]
    if dress.trailer:
        lines.append(_trailer(book))
    end = "\r\n" if dress.crlf else "\n"
    text = ("\ufeff" if dress.bom else "") + end.join(lines) + end
    return text.encode(), [first + place for place in range(len(book.records))]


def _statement(book: Book) -> str:
    return (
        f"#STATEMENT kind={book.kind.value} source={book.source} date={book.day.isoformat()} cut={instant(book.cut_at)}"
    )


def _trailer(book: Book) -> str:
    column = SUMMED.get(book.kind)
    total = f" sum.{column}={plain(sum(record.number(column) for record in book.records))}" if column else ""
    return f"#TRAILER rows={len(book.records)}{total}"


def _head(name: str, dress: Dress) -> str:
    return name.title() if dress.capitals else name


def _line(record: Record, columns: Sequence[str], dress: Dress) -> str:
    pad = " " * dress.blanks
    made_up = {"house_code": "X1", "Remarks": 'said; by, "them"'}
    cells = [made_up.get(name, "") if dress.extra and name in made_up else record[name] for name in columns]
    return dress.delimiter.join(_cell(f"{pad}{cell}{pad}" if cell else pad, dress) for cell in cells)


def _cell(text: str, dress: Dress) -> str:
    if dress.quoted or any(mark in text for mark in (dress.delimiter, '"', "\n", "\r")):
        return '"' + text.replace('"', '""') + '"'
    return text
