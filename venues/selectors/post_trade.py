"""Reads of post-trade intents and of the post-trade messages that wait for the inbox."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import QuerySet

from journal.bulk import raw_cursor
from venues.domain.fix_codec import first_values, parse
from venues.domain.post_trade_codes import KINDS
from venues.models import PostTradeIntent, WireMessage

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


@dataclass(frozen=True, slots=True)
class SentCopy:
    """A post-trade message of ours as it left: its place among the session's messages, its number in an epoch, its text."""

    id: int
    epoch: str
    number: int
    raw: str


@dataclass(frozen=True, slots=True)
class AskedAgain:
    """A request of the other side to send numbers again (35=2), by its place among the session's messages."""

    id: int
    epoch: str
    begin: int
    end: int


def sent_post_trade(*, session: str, epoch: str, numbers: Sequence[int]) -> list[SentCopy]:
    """Post-trade messages among what left under these numbers."""
    rows = _left(session, epoch).filter(msg_seq_num__in=list(numbers))
    return [SentCopy(*row) for row in rows.values_list("id", "epoch", "msg_seq_num", "raw")]


def sent_post_trade_between(*, session: str, epoch: str, first: int, last: int, limit: int) -> list[SentCopy]:
    """The newest of those that left under a range of numbers; ``last`` 0 is all."""
    rows = _left(session, epoch).filter(msg_seq_num__gte=first)
    if last:
        rows = rows.filter(msg_seq_num__lte=last)
    return [
        SentCopy(*row) for row in rows.order_by("-msg_seq_num").values_list("id", "epoch", "msg_seq_num", "raw")[:limit]
    ]


def sent_post_trade_since(*, session: str, epoch: str, since: datetime) -> list[SentCopy]:
    """Those recorded from a moment on, oldest first. Reads the epoch by number: for the few times when something is unproven."""
    rows = _left(session, epoch).filter(recorded_at__gte=since).order_by("msg_seq_num")
    return [SentCopy(*row) for row in rows.values_list("id", "epoch", "msg_seq_num", "raw")]


def _left(session: str, epoch: str) -> QuerySet[WireMessage]:
    return WireMessage.objects.filter(session=session, epoch=epoch, direction="out", msg_type__in=sorted(KINDS))


def asked_again(*, session: str, after: int, since: datetime) -> list[AskedAgain]:
    """Resend requests of the other side behind a place, recorded since a moment, oldest first."""
    rows = WireMessage.objects.filter(
        session=session, direction="in", msg_type="2", id__gt=after, recorded_at__gte=since
    )
    found = []
    for pk, epoch, raw in rows.order_by("id").values_list("id", "epoch", "raw"):
        values = first_values(parse(raw))
        begin, end = values.get(7, ""), values.get(16, "0")
        if begin.isdigit() and end.isdigit():
            found.append(AskedAgain(pk, epoch, int(begin), int(end)))
    return found


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
