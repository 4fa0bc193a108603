"""The last step before the wire for post-trade messages, in one durable transaction: claim, map, prove, commit.

What this returns may be given to the engine exactly once; what is then not known to have left is settled by evidence
(``settle_post_trade``). They add no risk, so stops and the gates of a recovery do not hold them; they take what orders and cancels
leave of the session's rate. One that cannot be made comes back to who released it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from journal.bulk import insert_rows, update_rows
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from kernel.crash_points import crash_point
from kernel.errors import Unavailable
from kernel.post_trade import from_json
from risk.domain.rates import RateKind, session_subject
from risk.selectors.rates import get_bucket
from risk.services.count_messages import count_messages
from venues.adapters.base import Adapter
from venues.domain.fix_codec import join
from venues.locks import lock_waiting_post_trade
from venues.models import PostTradeHandOver, PostTradeIntent
from venues.selectors import session_fence
from venues.services._returned import Why, tell_returned
from venues.services.mark_handed_over import HandedOver, Outgoing

POST_TRADE_NOT_MAPPED = "POST_TRADE_NOT_MAPPED"
_FIELDS = ("name", "intent_id", "mapping", "body", "session", "epoch", "fence", "handed_over_at")


def hand_over_post_trade(
    *, group: str, session: str, epoch: str, fence: int, adapter: Adapter, limit: int, at: datetime
) -> HandedOver:
    """At most ``limit`` waiting messages of the group, oldest first, as far as the session's rate has room.

    Raises Unavailable SINGLETON_LOST when another gateway has put its fence on the session.
    """
    outgoing: list[Outgoing] = []
    rows: list[tuple[object, ...]] = []
    closed: list[tuple[object, ...]] = []
    with transaction.atomic(durable=True):
        if session_fence(session=session) != fence:
            raise Unavailable("SINGLETON_LOST", f"Another gateway has taken over {session}; this one must stop.")
        bucket = get_bucket(kind=RateKind.SESSION, subject=session_subject(session), at=at)
        intents = lock_waiting_post_trade(group=group, limit=min(limit, bucket.free(removes_risk=False)))
        for intent in intents:
            try:
                fields = adapter.map_post_trade(from_json(intent.payload))
            except (KeyError, ValueError) as error:
                closed.append((intent.id, PostTradeIntent.State.REFUSED.value, f"{error}", at))
                _tell(intent, error, at)
                continue
            outgoing.append(Outgoing(intent.name, fields, intent.id))
            closed.append((intent.id, PostTradeIntent.State.HANDED_OVER.value, "", at))
            name = f"{group}|{intent.kind}|{intent.name}"
            rows.append((name, intent.id, adapter.mapping, join(fields), session, epoch, fence, at))
        _record(closed, rows)
        if rows:
            count_messages(used_us={bucket.subject: len(rows) * bucket.mark.step_us})
            crash_point("post_trade.hand_over")
    return HandedOver(tuple(outgoing), (), len(intents))


def _record(closed: Sequence[tuple[object, ...]], rows: Sequence[tuple[object, ...]]) -> None:
    if closed:
        update_rows(PostTradeIntent, closed, key=("id",), fields=("state", "reason", "closed_at"))
    if rows:
        insert_rows(PostTradeHandOver, rows, fields=_FIELDS)


def _tell(intent: PostTradeIntent, error: Exception, at: datetime) -> None:
    raise_anomaly(
        anomaly=Anomaly(
            kind=POST_TRADE_NOT_MAPPED,
            severity=Severity.HIGH,
            subject_type="session_group",
            subject_id=intent.session_group,
            sentence=f"{intent.kind} {intent.name} to {intent.session_group} cannot be made ({error}); it was not sent.",
            dedupe_key=f"post-trade-mapping:{intent.id}",
            evidence={"message": intent.payload},
        ),
        actor="process:gateway",
        at=at,
        correlation_id=intent.correlation_id,
    )
    tell_returned([(intent, Why("NOT_MAPPED", f"It could not be made: {error}"))], actor="process:gateway", at=at)
