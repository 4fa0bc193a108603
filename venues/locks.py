"""The only row locks of this room.

Order: FixSession by name before anything else of this room; WireIntents by id; PostTradeIntents by id, behind the cursor of their
inbox; the inbox's cursors before accounts. A
gateway never locks an account or an order while it decides about refusals: each refusal is its own transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orjson
from django.db.models import Exists, OuterRef

from journal.bulk import raw_cursor
from venues.domain.inbox import inbox_cursor
from venues.domain.messages import ClaimedIntent
from venues.models import FixSession, PostTradeHandOver, PostTradeIntent, WireIntent

_CLAIM_SHARDS = """
SELECT n.shard, c.position
  FROM unnest(%s::text[], %s::smallint[]) AS n(name, shard) JOIN journal_cursor c ON c.name = n.name
 WHERE (SELECT w.id FROM venues_wiremessage w WHERE w.session = %s AND w.shard = n.shard AND w.id > c.position
           AND w.direction = 'in' AND w.msg_type IN ('8', '9', '3', 'j') ORDER BY w.id LIMIT 1) IS NOT NULL
   FOR UPDATE OF c SKIP LOCKED
"""
_OPEN_SHARDS = """
INSERT INTO journal_cursor (name, position, updated_at)
SELECT name, 0, now() FROM unnest(%s::text[]) AS n(name)
 WHERE NOT EXISTS (SELECT FROM journal_cursor c WHERE c.name = n.name)
    ON CONFLICT DO NOTHING
"""


def lock_sessions(*, names: Sequence[str]) -> dict[str, FixSession]:
    """The session rows, locked in name order. Serialises writers, so that wire message ids commit in order."""
    rows = FixSession.objects.select_for_update(no_key=True).filter(name__in=names).order_by("name")
    return {row.name: row for row in rows}


def lock_group(*, group: str) -> list[FixSession]:
    """Every session row of a group, for a takeover."""
    return list(FixSession.objects.select_for_update(no_key=True).filter(group=group).order_by("name"))


_CLAIM = """
SELECT id, session_group, kind, order_id, request_id, cl_ord_id, account_id, adds_risk, payload::text FROM venues_wireintent
 WHERE session_group = %s AND adds_risk = %s AND state = 'waiting' ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
"""The index ``venues_intent_next`` serves it in this order: nothing is sorted, and what waits behind is not read."""

_WAITING_NEWS = """
SELECT order_id FROM venues_wireintent
 WHERE order_id = ANY(%s::uuid[]) AND kind = 'new' AND state = 'waiting' ORDER BY id FOR UPDATE
"""


def claim_intents(*, group: str, limit: int, risk_limit: int) -> list[ClaimedIntent]:
    """The next waiting intents, at most ``limit``, what removes risk first; of them at most ``risk_limit`` add risk.

    Skips locked rows.
    """
    found = _claim(group, False, limit)
    return found + _claim(group, True, min(risk_limit, limit - len(found)))


def _claim(group: str, adds_risk: bool, limit: int) -> list[ClaimedIntent]:
    if limit <= 0:
        return []
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_CLAIM, [group, adds_risk, limit])
        return [ClaimedIntent(*(*row[:-1], orjson.loads(row[-1]))) for row in cursor.fetchall()]


def lock_waiting_intent(*, intent_id: int) -> WireIntent | None:
    """One intent if it still waits, else None."""
    return WireIntent.objects.select_for_update().filter(id=intent_id, state=WireIntent.State.WAITING).first()


def lock_waiting_news(*, order_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the orders whose NEW intent waits, locked by ascending id: one statement for a batch of cancels."""
    if not order_ids:
        return set()
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_WAITING_NEWS, [sorted(set(order_ids))])
        return {row[0] for row in cursor.fetchall()}


def lock_waiting_new(*, order_id: UUID) -> WireIntent | None:
    """The NEW intent of an order while it has not been handed over, else None."""
    return (
        WireIntent.objects.select_for_update()
        .filter(order_id=order_id, kind="new", state=WireIntent.State.WAITING)
        .first()
    )


def lock_waiting_post_trade(*, group: str, limit: int) -> list[PostTradeIntent]:
    """The oldest post-trade messages that wait for the group's gateway, at most ``limit``; what is locked is passed over."""
    if limit <= 0:
        return []
    waiting = PostTradeIntent.objects.filter(session_group=group, state=PostTradeIntent.State.WAITING)
    return list(waiting.select_for_update(skip_locked=True).order_by("id")[:limit])


def lock_unanswered_post_trade(*, at: datetime, limit: int) -> list[PostTradeIntent]:
    """Intents whose answer is overdue and of which nobody was told, oldest first; what is locked is passed over."""
    due = PostTradeIntent.objects.filter(answer_by__lte=at, answered_at=None, told_at=None)
    return list(due.select_for_update(skip_locked=True).order_by("answer_by", "id")[:limit])


def lock_asked_post_trade(*, group: str, asked: Sequence[tuple[str, str]]) -> list[PostTradeIntent]:
    """The unanswered intents of the group with these (kind, name), by id."""
    if not asked:
        return []
    kinds, names = {kind for kind, _ in asked}, {name for _, name in asked}
    found = PostTradeIntent.objects.filter(session_group=group, kind__in=kinds, name__in=names, answered_at=None)
    return [intent for intent in found.select_for_update().order_by("id") if (intent.kind, intent.name) in set(asked)]


def lock_named_post_trade(*, group: str, named: Sequence[tuple[str, str]]) -> list[PostTradeIntent]:
    """The intents of the group with these (kind, name), by id, whatever became of them."""
    if not named:
        return []
    kinds, names = {kind for kind, _ in named}, {name for _, name in named}
    found = PostTradeIntent.objects.filter(session_group=group, kind__in=kinds, name__in=names)
    return [intent for intent in found.select_for_update().order_by("id") if (intent.kind, intent.name) in set(named)]


def lock_unproven_post_trade(*, group: str, session: str, before: datetime, limit: int) -> list[PostTradeIntent]:
    """Intents handed over on the session before a moment of which nothing says that they left, oldest first."""
    handed = PostTradeHandOver.objects.filter(intent_id=OuterRef("id"), session=session, handed_over_at__lt=before)
    unproven = PostTradeIntent.objects.filter(
        Exists(handed), session_group=group, state=PostTradeIntent.State.HANDED_OVER, left_at=None, reason=""
    )
    return list(unproven.select_for_update().order_by("id")[:limit])


def claim_shards(*, session: str, shards: Sequence[int]) -> dict[int, int]:
    """The cursors of those shards that have unworked messages and that nobody else works on: shard → position.

    Locked until commit, each shard by one consumer at a time: whoever else asks for it passes it over. So any number of
    consumers may share the shards in any way, and change it at any moment.
    """
    names = [inbox_cursor(session, shard) for shard in shards]
    with raw_cursor() as cursor:
        for _ in range(2):
            cursor.execute(_CLAIM_SHARDS, [names, list(shards), session])
            claimed = {int(shard): int(position) for shard, position in cursor.fetchall()}
            if claimed:
                return claimed
            cursor.execute(_OPEN_SHARDS, [names])
            if not cursor.rowcount:
                break
    return {}
