"""Finding events by who, when and of what family, newest first, a page at a time.

A *family* is what stands before the first colon of a stream (``order``, ``authorisation``, ``risk`` …). What people did, and
what happened outside orders, is indexed; the events of orders by our own processes, most of the journal, are read backwards
from where the page begins, at most ``WINDOW`` positions at a time, so that no page costs more than that.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from journal.bulk import raw_cursor
from journal.domain.records import EventRecord
from journal.domain.wanted import Wanted
from journal.selectors.events import _COLUMNS, _record

WINDOW = 100_000
BUSIEST = "order"
PROCESSES = "process:%"


@dataclass(frozen=True, slots=True)
class Found:
    """Events newest first. ``reached`` is the last position looked at, where the next page ends; None: all was looked at."""

    events: tuple[EventRecord, ...]
    reached: int | None


_SEEK = """
WITH RECURSIVE seek(low, high) AS (
  SELECT coalesce(min(position), 0), coalesce(max(position), 0) + 1 FROM journal_event
   UNION ALL
  SELECT CASE WHEN probe.recorded_at < %(at)s THEN probe.position + 1 ELSE low END,
         CASE WHEN probe.recorded_at < %(at)s THEN high ELSE (low + high) / 2 END
    FROM seek CROSS JOIN LATERAL (
         SELECT position, recorded_at FROM journal_event WHERE position >= (low + high) / 2 ORDER BY position LIMIT 1
         ) AS probe
   WHERE low < high
) SELECT min(high) FROM seek
"""


def find_position_at(at: datetime) -> int:
    """About the first position recorded at or after the time: transactions overlap, so take a minute of slack either way."""
    with raw_cursor() as cursor:
        cursor.execute(_SEEK.replace("%(at)s", "%s"), [at, at])
        row = cursor.fetchone()
    return int(row[0]) if row and row[0] is not None else 0


def search_events(wanted: Wanted, *, above: int = 0, below: int | None = None, limit: int = 50) -> Found:
    """At most ``limit`` events at positions in ``(above, below)``. The caller turns times into positions; both are applied."""
    tops = [position for position in (wanted.before, below) if position is not None]
    top = min(tops) if tops else _next_position()
    if wanted.streams:
        branches = [("stream = %s", [stream]) for stream in sorted(wanted.streams)]
        return _merged(wanted, branches, above, top, limit)
    if wanted.only_people:
        named = "actor = %s AND NOT (actor LIKE 'process:%%' AND stream LIKE 'order:%%')"
        return _merged(wanted, [(named, [actor]) for actor in sorted(wanted.actors)], above, top, limit)
    if wanted.families and BUSIEST not in wanted.families:
        named = "split_part(stream, ':', 1) = %s AND stream NOT LIKE 'order:%%'"
        return _merged(wanted, [(named, [family]) for family in sorted(wanted.families)], above, top, limit)
    floor = max(above, top - WINDOW)
    found = _merged(wanted, [("true", [])], floor, top, limit)
    beyond = floor + 1 if floor > above else None
    return Found(found.events, found.reached if found.reached is not None else beyond)


def _next_position() -> int:
    with raw_cursor() as cursor:
        cursor.execute("SELECT coalesce(max(position), 0) + 1 FROM journal_event")
        row = cursor.fetchone()
    return int(row[0]) if row else 1


def _merged(wanted: Wanted, branches: Sequence[tuple[str, list[Any]]], above: int, top: int, limit: int) -> Found:
    """The newest of several index ranges, each read no further than the limit."""
    narrow, values = _narrowing(wanted)
    one = (
        f"(SELECT {_COLUMNS} FROM journal_event WHERE {{}} AND position > %s AND position < %s{narrow} "  # noqa: S608
        "ORDER BY position DESC LIMIT %s)"
    )
    sql = " UNION ALL ".join(one.format(branch) for branch, _ in branches)
    given = [value for _, own in branches for value in (*own, above, top, *values, limit)]
    with raw_cursor() as cursor:
        cursor.execute(f"SELECT * FROM ({sql}) AS found ORDER BY position DESC LIMIT %s", [*given, limit])  # noqa: S608
        events = tuple(_record(row) for row in cursor.fetchall())
    return Found(events, events[-1].position if len(events) == limit else None)


def _narrowing(wanted: Wanted) -> tuple[str, list[Any]]:
    parts: list[str] = []
    values: list[Any] = []

    def add(condition: str, *given: Any) -> None:
        parts.append(f" AND {condition}")
        values.extend(given)

    if wanted.since is not None:
        add("recorded_at >= %s", wanted.since)
    if wanted.until is not None:
        add("recorded_at < %s", wanted.until)
    if wanted.actors and not wanted.only_people:
        add("actor = ANY(%s::text[])", sorted(wanted.actors))
    if wanted.families:
        add("split_part(stream, ':', 1) = ANY(%s::text[])", sorted(wanted.families))
    if wanted.kinds:
        add("kind = ANY(%s::text[])", sorted(wanted.kinds))
    if wanted.verdict:
        add("payload->>'verdict' = %s", wanted.verdict)
    if wanted.outside is not None:
        begin, end, zone = wanted.outside
        add("actor NOT LIKE 'process:%%'")
        local = "(recorded_at AT TIME ZONE %s)"
        add(
            f"(extract(isodow FROM {local}) > 5 OR {local}::time < %s::time OR {local}::time >= %s::time)",
            zone, zone, begin, zone, end,
        )  # fmt: skip
    return "".join(parts), values


def find_events(ids: Collection[UUID]) -> list[EventRecord]:
    """Events by their own id or by the correlation they belong to, in order of position; at most 1,000."""
    wanted = sorted(set(ids))
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM journal_event WHERE id = ANY(%s::uuid[]) OR correlation_id = ANY(%s::uuid[]) "  # noqa: S608
            "ORDER BY position LIMIT 1000",
            [wanted, wanted],
        )
        return [_record(row) for row in cursor.fetchall()]


NEIGHBOURHOOD = 20_000


def events_together_with(positions: Collection[int]) -> list[EventRecord]:
    """Events written in the same transactions as those at the positions, themselves included; at most 1,000.

    A transaction's events stand near one another: they are looked for within ``NEIGHBOURHOOD`` positions.
    """
    if not positions:
        return []
    columns = ", ".join(f"e.{name}" for name in _COLUMNS.split(", "))
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT ON (e.position) {columns} FROM journal_event k JOIN journal_event e ON e.xid = k.xid "  # noqa: S608
            "AND e.position BETWEEN k.position - %s AND k.position + %s "
            "WHERE k.position = ANY(%s::bigint[]) ORDER BY e.position LIMIT 1000",
            [NEIGHBOURHOOD, NEIGHBOURHOOD, sorted(positions)],
        )
        return [_record(row) for row in cursor.fetchall()]


def count_events(streams: Collection[str]) -> int:
    """How many events the streams hold."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT count(*) FROM journal_event WHERE stream = ANY(%s::text[])", [sorted(streams)])
        row = cursor.fetchone()
    return int(row[0]) if row else 0


@dataclass(frozen=True, slots=True)
class Sealed:
    """How far the journal is sealed and anchored outside; None where nothing is yet."""

    to_position: int
    sealed_at: datetime | None
    anchored_at: datetime | None


def sealed_so_far() -> Sealed:
    """One statement over the newest seal and anchor."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(to_position), 0), (SELECT sealed_at FROM journal_seal ORDER BY number DESC LIMIT 1), "
            "(SELECT anchored_at FROM journal_sealanchor ORDER BY id DESC LIMIT 1) FROM journal_seal"
        )
        row = cursor.fetchone()
    return Sealed(int(row[0]), row[1], row[2]) if row else Sealed(0, None, None)
