"""Emptying the database between transactional tests, which its guards forbid to everybody else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db import connections, transaction
from django.db.backends.postgresql.operations import DatabaseOperations


def _flush_past_the_guards(self: Any, sql_list: Iterable[str]) -> None:
    """TRUNCATE with triggers off for this one transaction; only the owner of a test database may do so."""
    alias = self.connection.alias
    with transaction.atomic(using=alias), connections[alias].cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        for sql in sql_list:
            cursor.execute(sql)


DatabaseOperations.execute_sql_flush = _flush_past_the_guards  # type: ignore[method-assign]
