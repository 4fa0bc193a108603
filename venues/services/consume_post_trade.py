"""Inbound post-trade messages become facts that others listen for: read behind a cursor of their own, mapped, appended, once.

Reading, appending and the cursor are one transaction, so a kill at any moment repeats the slice or does not. A transport duplicate
(same session, epoch and MsgSeqNum) is stepped over; a message that a counterparty says twice under two numbers is two facts: who
pairs them decides. One that cannot be read is set aside, and the stream goes on. Nothing here touches an order.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from journal.bulk import update_rows
from journal.domain.chain import EventDraft
from journal.locks import lock_cursor
from journal.models import Cursor
from journal.services.append_to_stream import append_to_stream
from journal.services.clear_anomaly import clear_anomaly
from kernel.crash_points import crash_point
from kernel.ids import new_id
from kernel.post_trade import PostTradeMessage, from_json, to_json
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import parse
from venues.domain.inbox import post_trade_cursor
from venues.domain.post_trade_codes import ANSWERS
from venues.locks import lock_asked_post_trade
from venues.models import PostTradeIntent
from venues.selectors.post_trade import PostTradeRow, read_post_trade
from venues.services.set_aside_message import set_aside_message
from venues.services.watch_post_trade import unanswered

log = logging.getLogger("venues.inbox")

POST_TRADE_MESSAGE_RECEIVED = "PostTradeMessageReceived"
ACTOR = "process:inbox"


@dataclass(frozen=True, slots=True)
class _Source:
    session: str
    group: str
    adapter: str
    at: datetime


def consume_post_trade(*, session: str, group: str, adapter_name: str, limit: int, at: datetime) -> int:
    """How many messages were worked; 0 also when somebody else works on them."""
    source = _Source(session, group, adapter_name, at)
    with transaction.atomic(durable=True):
        position = lock_cursor(post_trade_cursor(session))
        if position is None:
            return 0
        rows = read_post_trade(session=session, after=position, limit=limit)
        if not rows:
            return 0
        received = [(row, message) for row in rows if not row.again and (message := _read(row, source)) is not None]
        _settle(source, [message for _, message in received])
        append_to_stream(drafts=[_draft(row, message, source) for row, message in received], at=at)
        moved = (post_trade_cursor(session), rows[-1].id, at)
        update_rows(Cursor, [moved], key=("name",), fields=("position", "updated_at"))
        crash_point("post_trade.mapped")
    crash_point("post_trade.appended")
    return len(rows)


def _read(row: PostTradeRow, source: _Source) -> PostTradeMessage | None:
    """The message, or None once it was set aside. What it cannot be told as (a number too long, say) cannot be read."""
    try:
        message = adapter_named(source.adapter).read_post_trade(parse(row.raw), counterparty=source.group)
        if from_json(to_json(message)) != message:
            raise ValueError("the message cannot be told as the house tells it")
        return message
    except (ValueError, ArithmeticError) as error:
        log.warning("post-trade message %d of session %s is set aside: %s", row.id, source.session, error)
        set_aside_message(
            source=post_trade_cursor(source.session),
            position=str(row.id),
            session=source.session,
            reason=f"{type(error).__name__}: {error}"[:2000],
            payload={"wire_message_id": row.id, "raw": row.raw},
            at=source.at,
        )
        return None


def _draft(row: PostTradeRow, message: PostTradeMessage, source: _Source) -> EventDraft:
    event_id = new_id()
    return EventDraft(
        id=event_id,
        stream=f"post-trade:{source.group}",
        kind=POST_TRADE_MESSAGE_RECEIVED,
        actor=ACTOR,
        correlation_id=event_id,
        event_at=message.transact_at,
        received_at=row.recorded_at,
        business_date=message.trade_date or row.recorded_at.date(),
        payload={**to_json(message), "wire_message_id": row.id, "session": source.session},
    )


def _settle(source: _Source, messages: Sequence[PostTradeMessage]) -> None:
    """What of ours these answer waits for no answer any more; who was told that none came is told that it did."""
    answered = {(ANSWERS[message.kind].value, message.ref_of) for message in messages if message.kind in ANSWERS}
    intents = lock_asked_post_trade(group=source.group, asked=sorted(answered))
    for intent in intents:
        if intent.told_at is not None:
            anomaly = unanswered(intent, f"{source.group} has answered {intent.kind} {intent.name}.")
            clear_anomaly(anomaly=anomaly, actor=ACTOR, at=source.at, correlation_id=intent.correlation_id)
    rows = [(intent.id, source.at) for intent in intents]
    if rows:
        update_rows(PostTradeIntent, rows, key=("id",), fields=("answered_at",))
