"""Listener: a post-trade message that was released becomes an intent of the counterparty's session group.

A message is the same to the other side by its name (AllocID, AllocReportID, ConfirmID, or what an ack answers). The same event again
changes nothing; *another* event under a name that was used already is not sent, and told: a correction has a name of its own. A
counterparty without a session, or whose dialect has no such message, is told by hand.
"""

from __future__ import annotations

from collections.abc import Sequence

from journal.bulk import insert_rows
from journal.domain.records import Anomaly, EventRecord, Severity
from journal.notify import notify
from journal.services.raise_anomaly import raise_anomaly
from kernel.post_trade import PostTradeMessage, from_json
from venues.adapters.registry import adapter_named
from venues.domain.channels import wire_channel
from venues.domain.post_trade import wire_name
from venues.domain.post_trade_codes import REASON_TAGS
from venues.domain.post_trade_waiting import answer_by
from venues.models import FixSession, PostTradeIntent
from venues.selectors.post_trade import events_of_intents

ACTOR = "process:routing"
POST_TRADE_BY_HAND = "POST_TRADE_BY_HAND"
POST_TRADE_NAME_USED = "POST_TRADE_NAME_USED"
_FIELDS = (
    "session_group", "kind", "name", "payload", "state", "reason", "event_id", "correlation_id", "created_at", "closed_at",
    "answer_by", "answered_at", "told_at",
)  # fmt: skip


def handle(events: Sequence[EventRecord]) -> None:
    """Called in one transaction with the cursor, in order of position. Raises ValueError or KeyError for a payload that is none."""
    adapters = dict(FixSession.objects.order_by("-name").values_list("group", "venue__adapter"))
    released = [(event, from_json(event.payload)) for event in events]
    sent: list[tuple[EventRecord, PostTradeMessage]] = []
    for event, message in released:
        adapter = adapters.get(message.counterparty)
        if adapter is None or message.kind not in adapter_named(adapter).capabilities.post_trade:
            _by_hand(event, message, known=adapter is not None)
        else:
            sent.append((event, message))
    written = insert_rows(
        PostTradeIntent,
        [_row(event, message) for event, message in sent],
        fields=_FIELDS,
        on_conflict="DO NOTHING",
        returning=("event_id",),
    )
    _tell_used({row[0] for row in written}, sent)
    for group in sorted({message.counterparty for _, message in sent}):
        notify(wire_channel(group))


def _row(event: EventRecord, message: PostTradeMessage) -> tuple[object, ...]:
    return (
        message.counterparty,
        message.kind.value,
        wire_name(message),
        event.payload,
        PostTradeIntent.State.WAITING.value,
        "",
        event.id,
        event.correlation_id,
        event.recorded_at,
        None,
        answer_by(message.kind, event.recorded_at),
        None,
        None,
    )


def _tell_used(written: set[object], sent: Sequence[tuple[EventRecord, PostTradeMessage]]) -> None:
    """Of those that were not written: the ones that another event had written. An ack said again says nothing new."""
    left = [(event, message) for event, message in sent if event.id not in written and message.kind not in REASON_TAGS]
    before = events_of_intents([event.id for event, _ in left])
    for event, message in left:
        if event.id not in before:
            sentence = (
                f"{message.kind.value} {wire_name(message)} was released to {message.counterparty} again with another content; "
                "it was not sent: what changes has a name of its own."
            )
            _raise(POST_TRADE_NAME_USED, event, message, sentence)


def _by_hand(event: EventRecord, message: PostTradeMessage, *, known: bool) -> None:
    why = "its dialect has no such message" if known else "it has no session"
    sentence = (
        f"{message.kind.value} {wire_name(message)} cannot be sent to {message.counterparty} ({why}): tell it by hand."
    )
    _raise(POST_TRADE_BY_HAND, event, message, sentence)


def _raise(kind: str, event: EventRecord, message: PostTradeMessage, sentence: str) -> None:
    raise_anomaly(
        anomaly=Anomaly(
            kind=kind,
            severity=Severity.HIGH,
            subject_type="session_group",
            subject_id=message.counterparty,
            sentence=sentence,
            dedupe_key=f"post-trade:{event.id}",
            evidence={"message": event.payload},
        ),
        actor=ACTOR,
        at=event.recorded_at,
        business_date=event.business_date,
        correlation_id=event.correlation_id,
        causation_id=event.id,
    )
