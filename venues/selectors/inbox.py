"""The inbox: inbound order messages that wait for their consumer, behind one cursor a session and shard.

A shard is worked in order of id, and ids of one session commit in order, so nothing can appear behind a cursor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from journal.bulk import raw_cursor
from venues.domain.inbox import UNWORKED
from venues.models import FixSession

# A difference of ids, because a comparison of them may be looked up in the index of ids: without statistics, a scan a row.
_READ = """
SELECT w.id, w.shard, w.epoch, w.msg_seq_num, w.msg_type, w.raw, w.recorded_at,
       EXISTS (SELECT FROM venues_wiremessage d WHERE d.session = %s AND d.epoch = w.epoch AND d.direction = 'in'
                  AND d.msg_seq_num = w.msg_seq_num AND d.msg_type = w.msg_type AND d.id - w.id < 0)
  FROM unnest(%s::smallint[], %s::bigint[]) AS c(shard, position)
 CROSS JOIN LATERAL (
       SELECT m.id, m.shard, m.epoch, m.msg_seq_num, m.msg_type, m.raw, m.recorded_at FROM venues_wiremessage m
        WHERE m.session = %s AND m.shard = c.shard AND m.id > c.position
          AND m.direction = 'in' AND m.msg_type IN ('8', '9', '3', 'j')
        ORDER BY m.id LIMIT %s) AS w
 ORDER BY w.id
"""


@dataclass(frozen=True, slots=True)
class InboxRow:
    """An inbound message as the consumer reads it. ``again``: its number was stored before, a transport duplicate."""

    id: int
    shard: int
    epoch: str
    msg_seq_num: int
    msg_type: str
    raw: str
    recorded_at: datetime
    again: bool


def list_inbox_sessions() -> list[tuple[str, str]]:
    """(session, adapter name) of every session, by name."""
    return list(FixSession.objects.order_by("name").values_list("name", "venue__adapter"))


def read_inbox(*, session: str, positions: Mapping[int, int], limit: int) -> list[InboxRow]:
    """Inbound order messages behind the position of each shard, about ``limit``: an equal part of each, at least one."""
    share = max(limit // len(positions), 1)
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_READ, [session, list(positions), list(positions.values()), session, share])
        return [InboxRow(*row) for row in cursor.fetchall()]


def inbox_has_reached(*, session: str, wire_message_id: int) -> bool:
    """Whether every inbound order message of the session up to this one has been worked."""
    with raw_cursor() as cursor:
        cursor.execute(
            f"SELECT NOT EXISTS (SELECT FROM {UNWORKED} WHERE s.name = %s AND w.id <= %s)",  # noqa: S608
            [session, wire_message_id],
        )
        row = cursor.fetchone()
    return row is not None and bool(row[0])


def inbox_lag() -> tuple[int, datetime | None]:
    """(inbound order messages not yet worked, when the oldest of them was recorded)."""
    with raw_cursor() as cursor:
        cursor.execute(f"SELECT count(*), min(w.recorded_at) FROM {UNWORKED}")  # noqa: S608
        row = cursor.fetchone()
    return (int(row[0]), row[1]) if row else (0, None)


def sessions_behind(names: Sequence[str], *, bound: int) -> dict[str, int]:
    """How many messages wait of each session, counted no further than one above ``bound``."""
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT n.name, (SELECT count(*) FROM (SELECT FROM "  # noqa: S608
            f"{UNWORKED} WHERE s.name = n.name LIMIT %s) AS counted) FROM unnest(%s::text[]) AS n(name)",
            [bound + 1, list(names)],
        )
        return {str(name): int(count) for name, count in cursor.fetchall()}
