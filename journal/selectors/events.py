"""Reads of events: by position for listeners and tails, by stream for evidence."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from journal.bulk import raw_cursor
from journal.domain.chain import EventDraft, StoredEvent
from journal.domain.records import EventRecord
from journal.selectors.horizon import Horizon

_COLUMNS = (
    "position, id, stream, seq, kind, version, actor, on_behalf_of, correlation_id, causation_id, "
    "event_at, received_at, recorded_at, business_date, payload"
)
MAX_LIMIT = 10_000


def _record(row: Sequence[Any]) -> EventRecord:
    return EventRecord(*(*row[:14], json.loads(row[14])))


def list_events_after(
    position: int,
    *,
    limit: int,
    kinds: Iterable[str] | None = None,
    up_to: int | None = None,
) -> list[EventRecord]:
    """Committed events behind ``position`` in order of position, at most ``limit`` (10,000), never past the horizon.

    ``up_to`` is a horizon the caller has read already; without it a fresh one is read.
    """
    ceiling = Horizon().position() if up_to is None else up_to
    if ceiling <= position:
        return []
    sql = f"SELECT {_COLUMNS} FROM journal_event WHERE position > %s AND position <= %s"  # noqa: S608
    values: list[Any] = [position, ceiling]
    if kinds is not None:
        sql += " AND kind = ANY(%s::text[])"
        values.append(sorted(kinds))
    sql += " ORDER BY position LIMIT %s"
    values.append(min(limit, MAX_LIMIT))
    with raw_cursor() as cursor:
        cursor.execute(sql, values)
        return [_record(row) for row in cursor]


def list_events_at(positions: Collection[int]) -> list[EventRecord]:
    """The events at these positions in order of position; positions without an event are skipped."""
    if not positions:
        return []
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM journal_event WHERE position = ANY(%s::bigint[]) ORDER BY position",  # noqa: S608
            [sorted(set(positions))],
        )
        return [_record(row) for row in cursor]


def list_events_by_id(event_ids: Collection[UUID]) -> list[EventRecord]:
    """The events with these ids in order of position; unknown ones are skipped."""
    if not event_ids:
        return []
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM journal_event WHERE id = ANY(%s::uuid[]) ORDER BY position",  # noqa: S608
            [sorted(set(event_ids))],
        )
        return [_record(row) for row in cursor]


def told_in_streams(streams: Collection[str], *, kind: str) -> list[EventRecord]:
    """Every event of one kind in the streams, stream by stream in order of sequence; none for no streams."""
    if not streams:
        return []
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM journal_event WHERE stream = ANY(%s::text[]) AND kind = %s "  # noqa: S608
            "ORDER BY stream, seq",
            [sorted(streams), kind],
        )
        return [_record(row) for row in cursor]


def stream_records(stream: str, *, after_seq: int = 0, limit: int = 1000) -> list[EventRecord]:
    """Events of one stream behind ``after_seq``, in order of sequence."""
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS} FROM journal_event WHERE stream = %s AND seq > %s ORDER BY seq LIMIT %s",  # noqa: S608
            [stream, after_seq, min(limit, MAX_LIMIT)],
        )
        return [_record(row) for row in cursor]


def stream_events(stream: str, *, after_seq: int = 0, limit: int = 1000) -> Iterator[StoredEvent]:
    """Events of one stream with their hashes, for ``verify_chain``."""
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS}, prev_hash, hash FROM journal_event "  # noqa: S608
            "WHERE stream = %s AND seq > %s ORDER BY seq LIMIT %s",
            [stream, after_seq, min(limit, MAX_LIMIT)],
        )
        rows = cursor.fetchall()
    for row in rows:
        yield _stored(row)


def placed_events_between(after: int, up_to: int, *, limit: int) -> list[tuple[int, StoredEvent]]:
    """The first ``limit`` events in ``(after, up_to]`` with position and hashes."""
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS}, prev_hash, hash FROM journal_event "  # noqa: S608
            "WHERE position > %s AND position <= %s ORDER BY position LIMIT %s",
            [after, up_to, min(limit, MAX_LIMIT)],
        )
        return [(row[0], _stored(row)) for row in cursor.fetchall()]


def placed_events_of(streams: Iterable[str]) -> list[tuple[int, StoredEvent]]:
    """All events of the streams with position and hashes, in order of position."""
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS}, prev_hash, hash FROM journal_event "  # noqa: S608
            "WHERE stream = ANY(%s::text[]) ORDER BY position",
            [sorted(set(streams))],
        )
        return [(row[0], _stored(row)) for row in cursor.fetchall()]


def _stored(row: Sequence[Any]) -> StoredEvent:
    record = _record(row[:15])
    return StoredEvent(
        draft=EventDraft(
            id=record.id,
            stream=record.stream,
            kind=record.kind,
            actor=record.actor,
            correlation_id=record.correlation_id,
            event_at=record.event_at,
            received_at=record.received_at,
            business_date=record.business_date,
            payload=record.payload,
            causation_id=record.causation_id,
            on_behalf_of=record.on_behalf_of,
            version=record.version,
        ),
        seq=record.seq,
        recorded_at=record.recorded_at,
        prev_hash=bytes(row[15]),
        hash=bytes(row[16]),
    )


def records_of_streams(streams: Sequence[str]) -> Iterator[tuple[EventRecord, bytes]]:
    """Every event of the streams with its hash, stream by stream in order of sequence. Read in slices: all are kept."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT {_COLUMNS}::text, hash FROM journal_event WHERE stream = ANY(%s::text[]) ORDER BY stream, seq",  # noqa: S608
            [list(streams)],
        )
        for row in cursor:
            yield EventRecord(*(*row[:14], orjson.loads(row[14]))), bytes(row[15])


class EventPlace(NamedTuple):
    """Where an event stands and what it is, without its payload."""

    stream: str
    seq: int
    kind: str
    actor: str
    recorded_at: datetime


def find_event_places(event_ids: Collection[UUID]) -> dict[UUID, EventPlace]:
    """Places of the events by id; unknown ones are absent."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT id, stream, seq, kind, actor, recorded_at FROM journal_event WHERE id = ANY(%s::uuid[])",
            [sorted(set(event_ids))],
        )
        return {row[0]: EventPlace(*row[1:]) for row in cursor.fetchall()}
