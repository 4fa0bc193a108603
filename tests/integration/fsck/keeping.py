"""A database that tests of a whole module may fill and commit to, and that is afterwards what it was before."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from journal.notify import dedicated_connection

_TABLES = "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"


@contextmanager
def database_kept() -> Iterator[None]:
    """Remember every row there is (after migrations: few), let the block commit what it likes, put all back."""
    with dedicated_connection("keeper") as connection:
        tables = [row[0] for row in connection.execute(_TABLES)]
        kept = {table: _read(connection, table) for table in tables}
        yield
        connection.execute("SET session_replication_role = replica")
        names = psycopg.sql.SQL(", ").join(map(psycopg.sql.Identifier, tables))
        connection.execute(psycopg.sql.SQL("TRUNCATE {}").format(names))
        for table, rows in kept.items():
            statement = psycopg.sql.SQL("COPY {} FROM STDIN").format(psycopg.sql.Identifier(table))
            with connection.cursor().copy(statement) as copy:
                copy.write(rows)


def _read(connection: psycopg.Connection[tuple[object, ...]], table: str) -> bytes:
    statement = psycopg.sql.SQL("COPY {} TO STDOUT").format(psycopg.sql.Identifier(table))
    with connection.cursor().copy(statement) as copy:
        return b"".join(bytes(block) for block in copy)
