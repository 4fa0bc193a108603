"""One moment of the whole database, and the outside evidence that belongs to it.

Every check of a run reads the same REPEATABLE READ, READ ONLY transaction, so that it is right beside a running house:
what one check sees of an order, the others see too.
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

Connection = psycopg.Connection[tuple[Any, ...]]
SLICE = 5_000
_NAMES = count()
AT = "current_setting('oms.fsck_at')::timestamptz"  # what a statement calls now: the caller's word, not the server's


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """``connection`` stands in the transaction to read; ``at`` is now, for everything that had time to happen.

    ``truth`` is where the simulated venues keep theirs, if any do.
    """

    connection: Connection
    at: datetime
    truth: Path | None = None

    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a statement. Only for statements whose answer is small."""
        return self.connection.execute(sql.encode(), values or None).fetchall()

    def stream(self, sql: str, *, binary: bool = False) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement in slices, so that memory stays bounded whatever the size of the table."""
        with self.connection.cursor(f"fsck_{next(_NAMES)}", withhold=False) as cursor:
            cursor.itersize = SLICE
            if binary:
                cursor.format = psycopg.pq.Format.BINARY
            yield from cursor.execute(sql.encode())


@contextmanager
def open_snapshot(connection: Connection, *, at: datetime, truth: Path | None = None) -> Iterator[Snapshot]:
    """The database as it is now, for as long as the block lasts. ``connection`` must be in autocommit and idle."""
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    try:
        yield snapshot_of(connection, at=at, truth=truth)
    finally:
        connection.execute("ROLLBACK")


def snapshot_of(connection: Connection, *, at: datetime, truth: Path | None = None) -> Snapshot:
    """The transaction that is open as a snapshot; its statements may sort and hash whole tables in memory, on all cores."""
    for name, value in (
        ("oms.fsck_at", at.isoformat()),
        ("work_mem", "192MB"),
        ("hash_mem_multiplier", "2"),
        ("max_parallel_workers_per_gather", "2"),
        ("jit", "off"),
    ):
        connection.execute("SELECT set_config(%s, %s, true)", [name, value])
    return Snapshot(connection, at, truth)
