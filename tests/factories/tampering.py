"""Changes past every guard, as only a superuser can make them: what checks must find."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction


@contextmanager
def planted(sql: str, *values: Any, rows: int | None = 1) -> Iterator[None]:
    """A change past every guard, as only a superuser can make it; undone afterwards."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute(sql, values)
            assert cursor.rowcount == rows or (rows is None and cursor.rowcount > 0), (
                f"{sql} changed {cursor.rowcount} rows"
            )
        yield
        transaction.set_rollback(True)


def without_checks(*tables: str) -> None:
    """Drop the CHECK constraints until the test's transaction ends: what is planted need not be plausible."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute("SELECT conname FROM pg_constraint WHERE conrelid = %s::regclass AND contype = 'c'", [table])
            for (name,) in cursor.fetchall():
                cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')
