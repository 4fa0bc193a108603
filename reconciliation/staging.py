"""A file as a table of the session: every row that can be used, typed, with the line it came from; the rest as problems.

The table is temporary: nobody else sees it, it survives commits, and whatever kills the session loses nothing, because the
kept file is staged again. What reaches COPY is known to be typable (`formats.csv_clean`, `formats.values`), so one COPY
takes the file and a single bad value never costs the rest. A FileProblem, also one found in the last line, leaves no table.

Of a FIX log about orders only what each order came to is kept: its last report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from kernel.fix import OrdStatus
from reconciliation.domain.records import COLUMNS, Kind, Type
from reconciliation.formats import fix_log
from reconciliation.formats.csv_file import CsvStatement
from reconciliation.formats.known_lines import KnownLines
from reconciliation.formats.line_difference import Found
from reconciliation.formats.problems import FileProblem, NoteCode, Problems
from reconciliation.formats.read_statement import open_statement
from reconciliation.formats.statement import Counted, Header, Statement
from reconciliation.formats.words import DEFAULTS

TYPES: Final = {
    Type.TEXT: "text",
    Type.AMOUNT: "numeric(24, 8)",
    Type.DATE: "date",
    Type.INSTANT: "timestamptz",
}
_OVER: Final = [OrdStatus.FILLED, OrdStatus.CANCELED, OrdStatus.REJECTED, OrdStatus.EXPIRED]
_ANALYZE_FROM: Final = 1_000
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Staged:
    """``table`` has ``line`` and the columns of the kind; empty is NULL, except where the kind says what empty means.

    ``rows`` are in the table, ``columns`` those of ours that the file has; ``counted`` is what the file held. ``add`` puts in
    clean lines of the file by their numbers, of those that were left out because they were known. ``differs``: which lines the
    file ``beside`` it has not, and the reverse, where one was named and it could be said (`formats.line_difference`).
    """

    table: str
    rows: int
    header: Header
    counted: Counted
    problems: Problems
    notes: Problems
    columns: frozenset[str]
    add: Callable[[Mapping[int, str]], None]
    differs: Found | None = None


@contextmanager
def staged(
    cursor: Any,
    path: Path,
    kind: Kind | str,
    *,
    format: str | None = None,
    on_block: Callable[[int], None] | None = None,
    known: KnownLines | None = None,
    beside: Path | None = None,
    lines: Iterable[tuple[int, str]] | None = None,
) -> Iterator[Staged]:
    """The file as a table until the end of the block. Raises FileProblem; ``on_block`` hears of rows so far and may raise.

    ``cursor`` is a Django or psycopg cursor of the session that will read the table. Lines that are ``known`` are taken out of
    these, counted and left out; raises TooManyUnknown where that is no gain. ``lines``: of a CSV these alone.
    """
    statement = open_statement(path, kind, format=format)
    if isinstance(statement, CsvStatement):
        if beside is not None:
            _compare(statement, beside)
        if lines is not None:
            statement.only_lines(lines)
    table = f"staged_{statement.kind.value}_{next(_numbers)}"
    _create(cursor, table, statement)
    try:
        yield _fill(cursor, table, statement, on_block, known)
    finally:
        _drop(cursor, table)


def _compare(statement: CsvStatement, beside: Path) -> None:
    """With a file that is CSV too; one that cannot be read is somebody else's matter."""
    try:
        other = open_statement(beside, statement.kind)
    except FileProblem:
        return
    if isinstance(other, CsvStatement):
        statement.compare_with(other)


def _create(cursor: Any, table: str, statement: Statement) -> None:
    """The columns of the kind with what an absent one means, and a place for each column of the file that is not ours."""
    columns = ["line bigint NOT NULL"]
    for one in COLUMNS[statement.kind]:
        default = f" DEFAULT '{DEFAULTS[one.name]}'" if one.name in DEFAULTS else ""
        columns.append(f"{one.name} {TYPES[one.type]}{default}")
    columns += [f"{name} text" for name in _foreign(statement)]
    cursor.execute(f"CREATE TEMPORARY TABLE {table} ({', '.join(columns)})")


def _foreign(statement: Statement) -> list[str]:
    ours = {one.name for one in COLUMNS[statement.kind]}
    return [name for name in statement.copy_names() if name not in ours]


def _fill(
    cursor: Any,
    table: str,
    statement: Statement,
    on_block: Callable[[int], None] | None,
    known: KnownLines | None,
) -> Staged:
    def heard() -> Iterator[str]:
        for block in statement.copy_blocks():
            yield block
            if on_block is not None:
                on_block(statement.good)

    def add(lines: Mapping[int, str]) -> None:
        _copy(cursor, table, statement, (f"{at}{statement.copy_delimiter}{line}\n" for at, line in lines.items()))
        _fill_in(cursor, table, statement)

    if known is not None:
        assert isinstance(statement, CsvStatement), "no line of another format is a record"
        statement.pass_over(known)
    _copy(cursor, table, statement, heard())
    for name in _foreign(statement):
        cursor.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
    if statement.leaves_defaults:
        _fill_in(cursor, table, statement)
    statement.finish(_sums(cursor, table, statement, known))
    rows = statement.good - (known.met if known is not None else 0)
    if statement.header.format == fix_log.NAME and statement.kind is not Kind.EXECUTIONS:
        rows = _keep_last_word(cursor, table, statement)
    if rows >= _ANALYZE_FROM:
        cursor.execute("SET default_statistics_target = 20")  # a sample of a fifth tells the planner enough
        cursor.execute(f"ANALYZE {table}")
        cursor.execute("RESET default_statistics_target")
    counted = statement.counted
    assert counted is not None, "finish counts"
    columns = frozenset(statement.copy_names()) - set(_foreign(statement))
    differs = _differs(statement)
    return Staged(table, rows, statement.header, counted, statement.problems, statement.notes, columns, add, differs)


def _differs(statement: Statement) -> Found | None:
    if not isinstance(statement, CsvStatement) or statement.difference is None:
        return None
    return statement.difference.found()


def _copy(cursor: Any, table: str, statement: Statement, blocks: Iterable[str]) -> None:
    """What the reader raises on the way is raised behind the COPY: out of one it would spoil the caller's transaction."""
    into = sql.SQL(
        "COPY {table} ({names}) FROM STDIN (FORMAT csv, DELIMITER {delimiter}, FORCE_NULL ({names}))"
    ).format(
        table=sql.Identifier(table),
        names=sql.SQL(", ").join(map(sql.Identifier, ["line", *statement.copy_names()])),
        delimiter=sql.Literal(statement.copy_delimiter),
    )
    stopped: Exception | None = None
    with cursor.copy(into) as copy:
        try:
            for block in blocks:
                copy.write(block)
        except psycopg.Error:
            raise
        except Exception as error:
            stopped = error
    if stopped is not None:
        raise stopped


def _fill_in(cursor: Any, table: str, statement: Statement) -> None:
    """What an empty value means where it means something."""
    for name in sorted(set(statement.copy_names()) & set(DEFAULTS)):
        cursor.execute(f"UPDATE {table} SET {name} = %s WHERE {name} IS NULL", [DEFAULTS[name]])  # noqa: S608


def _sums(cursor: Any, table: str, statement: Statement, known: KnownLines | None) -> dict[str, Decimal]:
    """Of the columns that the sender summed: what the rows come to, those that were known among them."""
    names = list(statement.header.said.sums)
    if not names:
        return {}
    cursor.execute(f"SELECT {', '.join(f'COALESCE(SUM({name}), 0)' for name in names)} FROM {table}")  # noqa: S608
    sums = dict(zip(names, cursor.fetchone(), strict=True))
    if known is None:
        return sums
    places = statement.copy_names()
    return {name: value + (known.sum_of(places.index(name)) if name in places else 0) for name, value in sums.items()}


def _keep_last_word(cursor: Any, table: str, statement: Statement) -> int:
    """Of each order the last report alone; of open orders none whose last report ends it."""
    cursor.execute(
        f"DELETE FROM {table} WHERE line NOT IN ("  # noqa: S608
        f"SELECT MAX(line) FROM {table} GROUP BY COALESCE(NULLIF(venue_order_id, 'NONE'), cl_ord_id, line::text))"
    )
    if statement.kind is Kind.OPEN_ORDERS:
        over = [one.value for one in _OVER]
        cursor.execute(f"DELETE FROM {table} WHERE ord_status = ANY(%s)", [over])  # noqa: S608
        for _one in range(cursor.rowcount):
            statement.notes.add(0, "ord_status", NoteCode.NOT_OPEN, "The last report of an order ends it.")
    cursor.execute(f"SELECT COUNT(*) FROM {table}")  # noqa: S608
    return int(cursor.fetchone()[0])


def _drop(cursor: Any, table: str) -> None:
    """In an aborted transaction nothing can be dropped: then the rollback, or the end of the session, takes the table."""
    if cursor.connection.info.transaction_status is not psycopg.pq.TransactionStatus.INERROR:
        cursor.execute(f"DROP TABLE IF EXISTS {table}")
