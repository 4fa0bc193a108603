"""Listener: a trade that somebody disowned becomes a DK (35=Q) for its session group, or a call for somebody to make.

Idempotent: an intent exists once for a trade of an event, a call once for an event.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID, uuid5

from journal.bulk import insert_rows
from journal.domain.records import Anomaly, EventRecord, Severity
from journal.notify import notify
from journal.services.raise_anomaly import raise_anomaly
from venues.adapters.registry import adapter_named
from venues.domain.channels import wire_channel
from venues.domain.messages import IntentKind
from venues.models import FixSession, WireIntent

ACTOR = "process:routing"
DK_BY_PHONE = "DK_BY_PHONE"
USEFUL_FOR = timedelta(days=1)
_FIELDS = (
    "session_group", "kind", "order_id", "request_id", "account_id", "cl_ord_id", "orig_cl_ord_id", "payload",
    "adds_risk", "state", "reason", "not_after", "correlation_id", "created_at", "closed_at",
)  # fmt: skip


def handle(events: Sequence[EventRecord]) -> None:
    """Called in one transaction with the cursor, in order of position."""
    for event in events:
        session = _session(event)
        if session is None or not adapter_named(session.venue.adapter).capabilities.dont_know_trade:
            _ask_for_a_call(event, session)
            continue
        rows = [_intent(event, session.group, place) for place in range(len(event.payload["trades"]))]
        insert_rows(WireIntent, rows, fields=_FIELDS, on_conflict="DO NOTHING")
        notify(wire_channel(session.group))


def _session(event: EventRecord) -> FixSession | None:
    """A session of the group the order went to, or the one that reported."""
    sessions = FixSession.objects.select_related("venue").order_by("name")
    if "session" in event.payload:
        return sessions.filter(name=event.payload["session"]).first()
    return sessions.filter(group=event.payload["session_group"]).first()


def _intent(event: EventRecord, group: str, place: int) -> tuple[object, ...]:
    payload = event.payload
    subject = UUID(payload["subject_id"])
    identity = uuid5(event.id, str(place))
    said = {name: payload[name] for name in ("venue_order_id", "dk_reason", "text", "message")}
    return (
        group,
        IntentKind.DONT_KNOW.value,
        subject,
        identity,
        UUID(payload["account_id"]) if payload["account_id"] else subject,
        identity.hex,
        "",
        {**said, **payload["trades"][place]},
        False,
        WireIntent.State.WAITING.value,
        "",
        event.recorded_at + USEFUL_FOR,
        event.correlation_id,
        event.recorded_at,
        None,
    )


def _ask_for_a_call(event: EventRecord, session: FixSession | None) -> None:
    """The venue takes no DK: a person tells it by phone."""
    payload = event.payload
    venue = f"{session.venue.name}, {session.venue.phone or 'no number known'}" if session is not None else "the venue"
    names = ", ".join(trade["exec_id"] for trade in payload["trades"])
    is_order = payload["about"] == "order"
    raise_anomaly(
        anomaly=Anomaly(
            kind=DK_BY_PHONE,
            severity=Severity.HIGH,
            subject_type="order" if is_order else "venue_order",
            subject_id=payload["subject_id"] if is_order else payload["venue_order_id"][:64],
            sentence=f"Call {venue}: we do not know trade {names} of order {payload['venue_order_id']}.",
            dedupe_key=f"dk:{payload['subject_id']}:{event.id}",
            evidence={"trades": payload["trades"], "reason": payload["text"]},
        ),
        actor=ACTOR,
        at=event.recorded_at,
        business_date=event.business_date,
        correlation_id=event.correlation_id,
        causation_id=event.id,
    )
