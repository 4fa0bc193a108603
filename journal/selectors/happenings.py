"""Reads of events for projections: as little of each as they need, in bulk."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from journal.bulk import raw_cursor
from journal.domain.projecting import Happening

# The venue's own words are not for projections: they are most of the bytes, and what they meant stands beside them.
_COLUMNS = (
    "position, stream, seq, kind, version, "
    "(CASE WHEN kind = 'ReportApplied' THEN payload - 'report' ELSE payload END)::text"
)


def list_happenings(after: int, *, up_to: int | None = None, limit: int | None = None) -> list[Happening]:
    """Events behind ``after`` in order of position, up to a horizon the caller has proven.

    Without ``up_to``: whatever the caller's snapshot sees, for comparisons within one transaction.
    """
    sql, values = f"SELECT {_COLUMNS} FROM journal_event WHERE position > %s", [after]  # noqa: S608
    if up_to is not None:
        if up_to <= after:
            return []
        sql, values = f"{sql} AND position <= %s", [*values, up_to]
    sql += " ORDER BY position"
    if limit is not None:
        sql, values = f"{sql} LIMIT %s", [*values, limit]
    loads = orjson.loads
    with raw_cursor(binary=True) as cursor:
        cursor.execute(sql, values)
        return [
            Happening(position, stream, seq, kind, version, loads(payload))
            for position, stream, seq, kind, version, payload in cursor.fetchall()
        ]


def stream_happenings(stream: str, *, up_to: int) -> Iterator[Happening]:
    """One stream from its first event to the one of sequence ``up_to``."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM journal_event WHERE stream = %s AND seq <= %s ORDER BY seq",  # noqa: S608
            [stream, up_to],
        )
        rows = cursor.fetchall()
    for position, name, seq, kind, version, payload in rows:
        yield Happening(position, name, seq, kind, version, orjson.loads(payload))


def version_in_force(name: str) -> int | None:
    """The version readers of a projection go by; None before one was put in force."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT version FROM journal_projectioninforce WHERE name = %s", [name])
        row = cursor.fetchone()
    return int(row[0]) if row else None
