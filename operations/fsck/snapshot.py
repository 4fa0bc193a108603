"""One moment of the whole database, and the outside evidence that belongs to it.

Every check of a run reads the same REPEATABLE READ, READ ONLY transaction, so that it is right beside a running house:
what one check sees of an order, the others see too. It is Django's own transaction, so that reads of the rooms below
(the check of the seals) look at the same moment.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
from django.db import connection, transaction

SLICE = 5_000
_NAMES = count()
AT = "current_setting('oms.fsck_at')::timestamptz"  # what a statement calls now: the caller's word, not the server's


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """``connection`` stands in the transaction to read; ``at`` is now, for everything that had time to happen.

    ``truth`` is where the simulated venues keep theirs, if any do. ``exported`` is the name under which other connections
    can take the same moment over, empty where they cannot.
    """

    connection: psycopg.Connection[tuple[Any, ...]]
    at: datetime
    truth: Path | None = None
    exported: str = ""

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement. Only for statements whose answer is small."""
        with psycopg.Cursor(self.connection) as cursor:
            return cursor.execute(sql.encode(), values or None).fetchall()

    def stream(self, sql: str) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement in slices, so that memory stays bounded whatever the size of the table."""
        with psycopg.ServerCursor(self.connection, f"fsck_{next(_NAMES)}") as cursor:
            cursor.itersize = SLICE
            cursor.format = psycopg.pq.Format.BINARY
            yield from cursor.execute(sql.encode())

    def copy(self, sql: str, *types: str) -> Iterator[tuple[Any, ...]]:
        """As ``stream``, by COPY: half the cost a row for who reads a whole table. ``types`` are the columns' types."""
        with psycopg.Cursor(self.connection).copy(f"COPY ({sql}) TO STDOUT (FORMAT binary)".encode()) as copy:
            copy.set_types(types)
            yield from copy.rows()


@contextmanager
def open_snapshot(*, at: datetime, truth: Path | None = None) -> Iterator[Snapshot]:
    """The database as it is now, for as long as the block lasts; no transaction may be open."""
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield snapshot_of_transaction(at=at, truth=truth)


def snapshot_of_transaction(*, at: datetime, truth: Path | None = None) -> Snapshot:
    """The open transaction as a snapshot."""
    connection.ensure_connection()
    assert connection.connection is not None
    settle(connection.connection, at=at)
    return Snapshot(connection.connection, at, truth)


def settle(reader: psycopg.Connection[tuple[Any, ...]], *, at: datetime, helpers: int = 2) -> None:
    """Until its transaction ends: *now* is ``at``, and statements may sort and hash whole tables in memory, with ``helpers``."""
    settings = (
        ("oms.fsck_at", at.isoformat()),
        ("work_mem", "192MB"),
        ("hash_mem_multiplier", "2"),
        ("max_parallel_workers_per_gather", str(helpers)),
        ("jit", "off"),
    )
    for name, value in settings:
        reader.execute("SELECT set_config(%s, %s, true)", [name, value])
