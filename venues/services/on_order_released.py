"""Listener: a released request becomes a wire intent for one session group.

A new order is routed here; a replace or cancel goes where its order went. Idempotent: an intent exists once for a
request. An order that no venue takes ends refused, with every candidate and reason kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from journal.bulk import insert_rows
from journal.domain.records import EventRecord
from journal.notify import notify
from kernel.fix import OrdType, TimeInForce
from orders.services.record_routes import record_routes
from orders.services.refuse_unsent import refuse_unsent
from venues.domain.channels import wire_channel
from venues.domain.route import Route, RouteQuestion, VenueFacts, route
from venues.models import RouteDecision, WireIntent
from venues.selectors import group_rules, list_venue_facts, routed_groups

NO_VENUE = "NO_VENUE"
LONGEST_WAIT = timedelta(hours=12)
_INTENT_FIELDS = (
    "session_group", "kind", "order_id", "request_id", "account_id", "cl_ord_id", "orig_cl_ord_id", "payload",
    "adds_risk", "state", "reason", "not_after", "correlation_id", "created_at", "closed_at",
)  # fmt: skip


def handle(events: Sequence[EventRecord]) -> None:
    """Called in one transaction with the cursor, in order of position."""
    router = _Router([event for event in events if event.payload["kind"] == "new"])
    intents = []
    for event in events:
        group = event.payload.get("session_group") or ""
        if event.payload["kind"] == "new":
            group = router.route(event)
        if group:
            intents.append(_intent_row(event, group))
        else:
            _refuse(event)
    router.record()
    insert_rows(WireIntent, intents, fields=_INTENT_FIELDS, on_conflict="DO NOTHING")
    for group in sorted({str(row[0]) for row in intents}):
        notify(wire_channel(group))


class _Router:
    """Routes the orders of one slice; what it knows of the venues is read once a kind of order, written once a slice."""

    def __init__(self, events: Sequence[EventRecord]) -> None:
        self._facts: dict[tuple[OrdType, TimeInForce], list[VenueFacts]] = {}
        self._kept = routed_groups(order_ids=[UUID(event.payload["order_id"]) for event in events])
        self._decisions: list[tuple[object, ...]] = []
        self._routes: dict[UUID, str] = {}
        self._at: datetime | None = None

    def route(self, event: EventRecord) -> str:
        """Decide; the group, or "" when nothing fits."""
        order_id = UUID(event.payload["order_id"])
        if order_id in self._kept:
            return self._kept[order_id]
        message = event.payload["message"]
        question = RouteQuestion(
            mic=message["mic"],
            ord_type=OrdType(message["ord_type"]),
            time_in_force=TimeInForce(message["time_in_force"]),
        )
        decision = route(question, self._facts_for(question))
        group = self._kept[order_id] = decision.session_group
        self._at = event.recorded_at
        self._decisions.append((order_id, group, _candidates(decision), decision.rule_version, event.recorded_at))
        if group:
            self._routes[order_id] = group
        return group

    def record(self) -> None:
        """Keep the decisions and tell orders."""
        insert_rows(
            RouteDecision,
            self._decisions,
            fields=("order_id", "session_group", "candidates", "rule_version", "decided_at"),
        )
        if self._at is not None:
            record_routes(routes=self._routes, rules=group_rules(), at=self._at)

    def _facts_for(self, question: RouteQuestion) -> list[VenueFacts]:
        key = (question.ord_type, question.time_in_force)
        if key not in self._facts:
            self._facts[key] = list_venue_facts(ord_type=key[0], time_in_force=key[1])
        return self._facts[key]


def _candidates(decision: Route) -> list[dict[str, object]]:
    return [
        {
            "session_group": c.session_group,
            "venue": c.venue,
            "eligible": c.eligible,
            "taken": c.taken,
            "reason": c.reason,
        }
        for c in decision.candidates
    ]


def _intent_row(event: EventRecord, group: str) -> tuple[object, ...]:
    payload = event.payload
    return (
        group,
        payload["kind"],
        UUID(payload["order_id"]),
        UUID(payload["request_id"]),
        UUID(payload["account_id"]),
        payload["cl_ord_id"],
        payload.get("orig_cl_ord_id") or "",
        _told(payload),
        bool(payload["adds_risk"]),
        WireIntent.State.WAITING.value,
        "",
        _not_after(event),
        event.correlation_id,
        event.recorded_at,
        None,
    )


def _told(payload: Mapping[str, Any]) -> dict[str, Any]:
    """``patient``: while the session is down it waits, whatever becomes of others (a stop's cancels)."""
    told = {"message": payload["message"], "venue_order_id": payload.get("venue_order_id")}
    return {**told, "patient": True} if payload.get("patient") else told


def _not_after(event: EventRecord) -> datetime:
    """When the message is of no use any more: the order's own expiry, else twelve hours."""
    expire_at = event.payload["message"].get("expire_at")
    return datetime.fromisoformat(expire_at) if expire_at else event.recorded_at + LONGEST_WAIT


def _refuse(event: EventRecord) -> None:
    """No venue takes the order, or its order was never routed."""
    refuse_unsent(
        request_id=UUID(event.payload["request_id"]),
        at=event.recorded_at,
        code=NO_VENUE,
        sentence=f"No venue takes this order on {event.payload['message']['mic']} now.",
    )
