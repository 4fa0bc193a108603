"""Sweeper: a post-trade message that the other side should have answered by now is somebody's matter, once.

It is never sent again by itself: under the same name the other side may have it and we may not know, under another it would be a
second one. A person asks, and then cancels and sends anew or takes the word by phone. The answer, when it comes, settles the matter.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from journal.bulk import update_rows
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from venues.locks import lock_unanswered_post_trade
from venues.models import PostTradeIntent

POST_TRADE_UNANSWERED = "POST_TRADE_UNANSWERED"
LIMIT = 200


def watch_post_trade(*, at: datetime) -> int:
    """How many were told. Those that were refused here were told when they were."""
    with transaction.atomic():
        due = lock_unanswered_post_trade(at=at, limit=LIMIT)
        for intent in due:
            if intent.state != PostTradeIntent.State.REFUSED:
                raise_anomaly(
                    anomaly=unanswered(intent, _sentence(intent)),
                    actor="process:relay",
                    at=at,
                    correlation_id=intent.correlation_id,
                )
        if due:
            update_rows(PostTradeIntent, [(intent.id, at) for intent in due], key=("id",), fields=("told_at",))
    return len(due)


def unanswered(intent: PostTradeIntent, sentence: str) -> Anomaly:
    """The matter of one message, for raising and for clearing."""
    return Anomaly(
        kind=POST_TRADE_UNANSWERED,
        severity=Severity.HIGH,
        subject_type="session_group",
        subject_id=intent.session_group,
        sentence=sentence,
        dedupe_key=f"post-trade-unanswered:{intent.id}",
        evidence={"name": intent.name, "kind": intent.kind, "message": intent.payload},
    )


def _sentence(intent: PostTradeIntent) -> str:
    if intent.state == PostTradeIntent.State.WAITING:
        return f"{intent.kind} {intent.name} still waits to be sent to {intent.session_group}: its session does not take it."
    return f"{intent.session_group} has not said that it has {intent.kind} {intent.name}. It may have it: it is not sent again; ask."
