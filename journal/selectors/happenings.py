"""Reads of events for projections: as little of each as they need, in bulk."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from journal.bulk import raw_cursor
from journal.domain.projecting import Condensing, Happening

# The venue's own words, and the messages made of terms that were told before, are not for projections: most of the bytes.
_PAYLOAD = """(CASE WHEN kind = 'ReportApplied' THEN payload - 'report'
    WHEN kind IN ('OrderReleased', 'ReplaceReleased', 'CancelReleased') THEN payload - 'message'
    ELSE payload END)::text"""
_COLUMNS = f"position, stream, seq, kind, version, {_PAYLOAD}"


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


SEEN = "Seen"
"""Kind of a happening that says no more than that its stream has come to ``seq``."""

_CONDENSED = f"""
WITH heads AS MATERIALIZED (
    SELECT stream, max(seq) AS seq, max(seq) FILTER (WHERE kind = ANY(%(last_only)s::text[])) AS last
      FROM journal_event
     WHERE position > %(after)s AND position <= %(up_to)s AND kind = ANY(%(hot)s::text[])
     GROUP BY stream
)
SELECT e.position, e.stream, CASE WHEN e.kind = ANY(%(last_only)s::text[]) THEN h.seq ELSE e.seq END, e.kind, e.version,
       {_PAYLOAD}
  FROM journal_event e LEFT JOIN heads h ON h.stream = e.stream
 WHERE e.position > %(after)s AND e.position <= %(up_to)s AND e.kind <> ALL(%(summed)s::text[])
   AND (e.kind <> ALL(%(last_only)s::text[]) OR e.seq = h.last OR e.payload ? %(unless)s)
UNION ALL
SELECT %(up_to)s, stream, seq, '{SEEN}', 1, '{{}}' FROM heads WHERE last IS NULL
 ORDER BY 1
"""  # noqa: S608


def list_condensed(after: int, *, up_to: int, condensing: Condensing) -> list[Happening]:
    """All events behind ``after`` up to a proven horizon, condensed as the projection allows. For long slices."""
    values = {
        "after": after,
        "up_to": up_to,
        "last_only": list(condensing.last_only),
        "summed": list(condensing.summed),
        "hot": [*condensing.last_only, *condensing.summed],
        "unless": condensing.unless,
    }
    by = ", ".join(f"payload ->> '{name}'" for name in condensing.by)
    sums = ", ".join(f"sum((payload ->> '{name}')::numeric)::text" for name in condensing.sums)
    # A payload that lacks one of the figures adds up to nothing that could be trusted: it is handed on without them.
    whole = " AND ".join(f"payload ? '{name}'" for name in condensing.sums)
    sql = (
        f"SELECT {by}, bool_and({whole}), {sums} FROM journal_event "  # noqa: S608
        "WHERE position > %(after)s AND position <= %(up_to)s AND kind = ANY(%(summed)s::text[]) "
        f"GROUP BY {', '.join(str(place) for place in range(1, len(condensing.by) + 1))}"
    )
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_CONDENSED, values)
        events = [Happening(*(*row[:5], orjson.loads(row[5]))) for row in cursor.fetchall()]
        cursor.execute(sql, values)
        for row in cursor.fetchall():
            names = condensing.by + condensing.sums if row[len(condensing.by)] else condensing.by
            figures = (*row[: len(condensing.by)], *row[len(condensing.by) + 1 :])
            payload = dict(zip(names, figures, strict=False))
            events.append(Happening(up_to, "", 0, condensing.summed[0], 1, payload))
    return events


def stream_happenings(stream: str, *, up_to_position: int) -> Iterator[Happening]:
    """One stream from its first event to the last one at or below a position."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM journal_event WHERE stream = %s AND position <= %s ORDER BY seq",  # noqa: S608
            [stream, up_to_position],
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
