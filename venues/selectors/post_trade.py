"""Reads of post-trade intents and of the post-trade messages that wait for the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from journal.bulk import raw_cursor
from venues.models import PostTradeIntent

_READ = """
SELECT w.id, w.epoch, w.msg_seq_num, w.msg_type, w.raw, w.recorded_at,
       EXISTS (SELECT FROM venues_wiremessage d WHERE d.session = %s AND d.epoch = w.epoch AND d.direction = 'in'
                  AND d.msg_seq_num = w.msg_seq_num AND d.msg_type = w.msg_type AND d.id - w.id < 0)
  FROM venues_wiremessage w
 WHERE w.session = %s AND w.id > %s AND w.direction = 'in' AND w.msg_type IN ('J', 'P', 'AS', 'AT', 'AK', 'AU')
 ORDER BY w.id LIMIT %s
"""
_WAITING = """
SELECT s.name, s."group", v.adapter
  FROM venues_fixsession s JOIN venues_venue v ON v.code = s.venue_id
  LEFT JOIN journal_cursor c ON c.name = 'post-trade:' || s.name
 WHERE EXISTS (SELECT FROM venues_wiremessage w WHERE w.session = s.name AND w.id > coalesce(c.position, 0)
                  AND w.direction = 'in' AND w.msg_type IN ('J', 'P', 'AS', 'AT', 'AK', 'AU'))
 ORDER BY s.name
"""


@dataclass(frozen=True, slots=True)
class PostTradeRow:
    """An inbound post-trade message. ``again``: its number was stored before, a transport duplicate."""

    id: int
    epoch: str
    msg_seq_num: int
    msg_type: str
    raw: str
    recorded_at: datetime
    again: bool


def read_post_trade(*, session: str, after: int, limit: int) -> list[PostTradeRow]:
    """Messages behind the cursor, oldest first."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_READ, [session, session, after, limit])
        return [PostTradeRow(*row) for row in cursor.fetchall()]


def events_of_intents(event_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the events that have an intent."""
    if not event_ids:
        return set()
    return set(PostTradeIntent.objects.filter(event_id__in=event_ids).values_list("event_id", flat=True))


def list_post_trade_sources() -> list[tuple[str, str, str]]:
    """(session, group, adapter name) of the sessions with messages behind their cursor, by name."""
    with raw_cursor() as cursor:
        cursor.execute(_WAITING)
        return [(str(session), str(group), str(adapter)) for session, group, adapter in cursor.fetchall()]


def waits_post_trade(*, group: str) -> bool:
    """Whether anything waits for the group's gateway."""
    return PostTradeIntent.objects.filter(session_group=group, state=PostTradeIntent.State.WAITING).exists()
