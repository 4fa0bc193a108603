"""Values in PostgreSQL's text form, column by column: for COPY lines and array literals. Pure.

One pass a column with a plain function a type costs a tenth of asking an adapter about each value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from enum import Enum
from typing import Any
from uuid import UUID

from kernel.texts import id_text, id_texts, utc_text

_COPY_SPECIAL = re.compile(r"[\\\t\n\r]")
_ARRAY_SPECIAL = re.compile(r'[\\"]')
_COPY_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_QUOTED = ("text", "varchar", "char", "jsonb")

Encode = Callable[[Any], str]


def _boolean(value: bool) -> str:
    return "t" if value else "f"


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    return str(value.value) if isinstance(value, Enum) else str(value)


def _id(value: Any) -> str:
    return value if type(value) is str else id_text(value)


def _bytes(value: Any) -> str:
    return "\\x" + bytes(value).hex()


_ENCODERS: dict[str, Encode] = {
    "uuid": _id,
    "bytea": _bytes,
    "boolean": _boolean,
    "timestamp with time zone": utc_text,
    "text": _text,
    "varchar": _text,
    "char": _text,
}


def _ids(values: Sequence[Any]) -> list[str] | None:
    """A column of ids; None where not all of it is UUIDs."""
    return id_texts(values) if set(map(type, values)) == {UUID} else None


def encoder(kind: str) -> Encode:
    """How a value of a PostgreSQL type is written; numbers, dates and JSON text speak for themselves."""
    return _ENCODERS.get(kind, str)


def _escaped(column: list[str]) -> list[str]:
    """One search a column: nearly always there is nothing to escape."""
    if _COPY_SPECIAL.search("".join(column)) is None:
        return column
    return [_COPY_SPECIAL.sub(lambda found: _COPY_ESCAPES[found.group()], value) for value in column]


def copy_text(value: str) -> str:
    """One text as a column of a COPY line."""
    return value if _COPY_SPECIAL.search(value) is None else _escaped([value])[0]


def copy_lines(kinds: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """The rows as COPY text: tab between columns, newline after each row, ``\\N`` for None."""
    columns: list[list[str]] = []
    for kind, values in zip(kinds, zip(*rows, strict=True), strict=True):
        encode = encoder(kind)
        if kind in _QUOTED:
            texts = _escaped(["" if value is None else encode(value) for value in values])
            column = ["\\N" if value is None else text for value, text in zip(values, texts, strict=True)]
        elif kind == "bytea":
            column = ["\\N" if value is None else "\\" + encode(value) for value in values]
        else:
            plainly = _ids(values) if kind == "uuid" else None
            column = plainly or ["\\N" if value is None else encode(value) for value in values]
        columns.append(column)
    return "".join(["\t".join(line) + "\n" for line in zip(*columns, strict=True)])


def _quote(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _quoted(kind: str, values: Sequence[Any], encode: Encode) -> list[str]:
    """Each in quotes; where all are plain texts one search says whether anything is to be escaped."""
    if kind in _QUOTED and set(map(type, values)) == {str} and not _ARRAY_SPECIAL.search("".join(values)):
        return [f'"{value}"' for value in values]
    return ["NULL" if value is None else _quote(encode(value)) for value in values]


def array_literal(kind: str, values: Iterable[Any]) -> str:
    """One column as an array literal of its type: ``{1,NULL,3}``."""
    encode = encoder(kind)
    if kind in _QUOTED or kind == "bytea":
        return "{" + ",".join(_quoted(kind, list(values), encode)) + "}"
    column = list(values)
    plainly = _ids(column) if kind == "uuid" else None
    return "{" + ",".join(plainly or ["NULL" if value is None else encode(value) for value in column]) + "}"
