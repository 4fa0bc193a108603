"""The one bulk writer: COPY, INSERT from arrays, UPDATE from arrays. Columns and types come from the models.

It runs on the psycopg connection Django already holds, inside the caller's transaction, so that a batch of one and
a batch of a thousand are the same code. Rows are tuples in the order of ``fields`` (model attribute names, foreign
keys as ``…_id``). JSON columns take Python values, or ``bytes`` that already are JSON text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import orjson
import psycopg
from django.db import connection, models, transaction

from journal.domain.pg_text import array_literal, copy_lines
from kernel.canonical import canonical_json

Row = Sequence[Any]
COPY_SLICE = 2000


@dataclass(frozen=True, slots=True)
class Shape:
    """Some columns of one table: names, PostgreSQL types without width, where JSON is and whether it may be NULL."""

    table: str
    fields: tuple[str, ...]
    columns: tuple[str, ...]
    types: tuple[str, ...]
    json_at: tuple[tuple[int, bool], ...]

    @property
    def column_list(self) -> str:
        return ", ".join(self.columns)

    @property
    def arrays(self) -> str:
        """One typed array placeholder a column."""
        return ", ".join(f"%s::{kind}[]" for kind in self.types)


@lru_cache(maxsize=256)
def shape_of(model: type[models.Model], fields: tuple[str, ...] | None = None) -> Shape:
    """The shape of ``fields`` (all that have no database default or identity when None).

    Raises FieldDoesNotExist for a name the model has not.
    """
    if fields is None:
        chosen = [f for f in model._meta.concrete_fields if not f.has_db_default() and not _is_identity(f)]
    else:
        by_attname = {f.attname: f for f in model._meta.concrete_fields}
        chosen = [by_attname.get(name) or model._meta.get_field(name) for name in fields]  # type: ignore[misc]
    return Shape(
        table=_quoted(model._meta.db_table),
        fields=tuple(f.attname for f in chosen),
        columns=tuple(_quoted(str(f.column)) for f in chosen),
        types=tuple(_array_type(f) for f in chosen),
        json_at=tuple((i, f.null) for i, f in enumerate(chosen) if isinstance(f, models.JSONField)),
    )


def _is_identity(field: models.Field[Any, Any]) -> bool:
    return isinstance(field, models.AutoField | models.BigAutoField | models.SmallAutoField)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _array_type(field: models.Field[Any, Any]) -> str:
    kind = field.db_type(connection)
    if kind is None:
        raise TypeError(f"{field} has no column")
    return re.sub(r"\(.*?\)", "", kind)


class _CountedCursor(psycopg.Cursor[tuple[Any, ...]]):
    """Leaves its statements in Django's query log, so that tests and pages that count see them."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        connection.queries_log.append({"sql": str(query), "time": "0"})
        return super().execute(query, params, **options)

    def copy(self, statement: Any, *arguments: Any, **options: Any) -> Any:
        connection.queries_log.append({"sql": str(statement), "time": "0"})
        return super().copy(statement, *arguments, **options)


@contextmanager
def raw_cursor(*, binary: bool = False) -> Iterator[psycopg.Cursor[tuple[Any, ...]]]:
    """A plain psycopg cursor on Django's connection; errors arrive as ``django.db`` errors.

    It costs a tenth of an ORM statement and takes part in the surrounding ``atomic`` block. jsonb arrives as text
    unless ``binary``.
    """
    connection.ensure_connection()
    kind = _CountedCursor if connection.queries_logged else psycopg.Cursor
    with connection.wrap_database_errors, kind(connection.connection) as cursor:
        if binary:
            cursor.format = psycopg.pq.Format.BINARY
        yield cursor


def one_transaction() -> AbstractContextManager[Any]:
    """Join the caller's transaction, or open one when there is none. No savepoint: an error is the caller's to see."""
    return nullcontext() if connection.in_atomic_block else transaction.atomic()


@contextmanager
def one_moment() -> Iterator[None]:
    """A reading transaction that sees the database as it is at its first statement, however long it lasts.

    Inside a transaction of the caller's it joins that one: then the caller answers for what is seen.
    """
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with raw_cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield


def json_text(value: Any) -> str:
    """JSON text of a Python value (Decimals as text, times as ISO 8601); bytes are taken as finished JSON."""
    if isinstance(value, bytes):
        return value.decode()
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return canonical_json(value).decode()


def _prepared(shape: Shape, rows: Sequence[Row]) -> Sequence[Row]:
    """The rows with JSON as text; refuses a row of the wrong width before anything is sent."""
    width = len(shape.fields)
    for row in rows:
        if len(row) != width:
            raise ValueError(f"a row of {shape.table} has {len(row)} values, {width} are expected")
    if not shape.json_at:
        return rows
    prepared: list[Row] = []
    for row in rows:
        values = list(row)
        for i, nullable in shape.json_at:
            if values[i] is not None or not nullable:
                values[i] = json_text(values[i])
        prepared.append(values)
    return prepared


def write_rows(model: type[models.Model], rows: Sequence[Row], *, fields: tuple[str, ...] | None = None) -> int:
    """Insert by COPY: the fastest way in, for one row as for thousands. Returns the number of rows.

    The database works on one slice while the next is written down here.
    """
    if not rows:
        return 0
    shape = shape_of(model, fields)
    prepared = _prepared(shape, rows)
    starts = range(0, len(prepared), COPY_SLICE)
    _copy(shape, (copy_lines(shape.types, prepared[start : start + COPY_SLICE]) for start in starts))
    return len(rows)


def write_text(model: type[models.Model], slices: Iterable[str], *, fields: tuple[str, ...]) -> None:
    """As ``write_rows``, of lines that are COPY text already (``journal.domain.pg_text``): for who writes tens of thousands of a kind.

    Each slice holds whole lines, its columns in the order of ``fields``.
    """
    _copy(shape_of(model, fields), slices)


def _copy(shape: Shape, slices: Iterable[str]) -> None:
    """The first slice is made before anything is sent: what cannot be written down leaves the transaction as it is."""
    made = iter(slices)
    first = next(made, "")
    if not first:
        return
    with raw_cursor() as cursor, cursor.copy(f"COPY {shape.table} ({shape.column_list}) FROM STDIN") as copy:
        copy.write(first)
        for lines in made:
            copy.write(lines)


def insert_rows(
    model: type[models.Model],
    rows: Sequence[Row],
    *,
    fields: tuple[str, ...] | None = None,
    on_conflict: str = "",
    returning: Iterable[str] = (),
) -> list[tuple[Any, ...]]:
    """Insert by one statement over arrays, where COPY cannot: ``on_conflict`` is the rest of the clause (``DO NOTHING``).

    Returns the ``returning`` columns of the rows written, in no particular order; nothing when none are named.
    """
    if not rows:
        return []
    shape = shape_of(model, fields)
    sql = f"INSERT INTO {shape.table} ({shape.column_list}) SELECT * FROM unnest({shape.arrays})"  # noqa: S608
    if on_conflict:
        sql += f" ON CONFLICT {on_conflict}"
    names = ", ".join(_quoted(name) for name in returning)
    if names:
        sql += f" RETURNING {names}"
    with raw_cursor() as cursor:
        cursor.execute(sql, _arrays(shape, rows))
        return cursor.fetchall() if names else []


def update_rows(
    model: type[models.Model], rows: Sequence[Row], *, key: tuple[str, ...], fields: tuple[str, ...]
) -> int:
    """``UPDATE … FROM unnest``: each row is the key values, then the new values of ``fields``.

    Returns how many rows changed; the caller compares when each key must exist.
    """
    if not rows:
        return 0
    shape = shape_of(model, key + fields)
    keys, values = shape.columns[: len(key)], shape.columns[len(key) :]
    assignments = ", ".join(f"{c} = v.{c}" for c in values)
    matches = " AND ".join(f"t.{c} = v.{c}" for c in keys)
    sql = (
        f"UPDATE {shape.table} AS t SET {assignments} "  # noqa: S608
        f"FROM unnest({shape.arrays}) AS v({shape.column_list}) WHERE {matches}"
    )
    with raw_cursor() as cursor:
        cursor.execute(sql, _arrays(shape, rows))
        return cursor.rowcount


def _arrays(shape: Shape, rows: Sequence[Row]) -> list[str]:
    columns = zip(*_prepared(shape, rows), strict=True)
    return [array_literal(kind, column) for kind, column in zip(shape.types, columns, strict=True)]
