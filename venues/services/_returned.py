"""Tell whoever released a post-trade message that it came back: the other side's session refused it, or it could not be made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from kernel.post_trade import AckStatus, from_json, to_json
from venues.models import PostTradeIntent

POST_TRADE_MESSAGE_RETURNED = "PostTradeMessageReturned"


@dataclass(frozen=True, slots=True)
class Why:
    """The code (``372`` and ``380`` of FIX with their tag, or one of ours), the words, and the stored message that said so."""

    code: str
    text: str
    session: str = ""
    wire_message_id: int | None = None


def tell_returned(returned: Sequence[tuple[PostTradeIntent, Why]], *, actor: str, at: datetime) -> None:
    """One event a message, in the counterparty's stream: the head of what was to be said, without accounts, and why it came back."""
    append_to_stream(drafts=[_draft(intent, why, actor, at) for intent, why in returned], at=at)


def _draft(intent: PostTradeIntent, why: Why, actor: str, at: datetime) -> EventDraft:
    said = replace(
        from_json(intent.payload), accounts=(), orders=(), fills=(), ack_status=AckStatus.REJECTED, reject_code=why.code,
        text=why.text, transact_at=at,
    )  # fmt: skip
    beside: dict[str, object] = {"session": why.session} if why.session else {}
    if why.wire_message_id is not None:
        beside["wire_message_id"] = why.wire_message_id
    return EventDraft(
        id=new_id(),
        stream=f"post-trade:{intent.session_group}",
        kind=POST_TRADE_MESSAGE_RETURNED,
        actor=actor,
        correlation_id=intent.correlation_id,
        causation_id=intent.event_id,
        event_at=at,
        received_at=at,
        business_date=said.trade_date or at.date(),
        payload={**to_json(said), **beside},
    )
