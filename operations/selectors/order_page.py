"""Everything known of one order, gathered for one page: a fixed number of statements, whatever its life was like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Q

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest, User
from journal.domain.records import EventRecord
from journal.selectors import stream_records
from kernel.errors import NotFound
from operations.domain.timeline import Line, describe
from operations.models import ExceptionItem
from operations.selectors.desk import visible_orders
from orders.models import Execution, Order, OrderRequest
from venues.domain.error_contract import Rule, rule_for
from venues.models import RouteDecision
from venues.selectors import WireRow, find_waiting_reason, get_route_decision, list_wire_messages

MOST_EVENTS = 1000
LATE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One event with the four times that matter, and whether it arrived long after it happened."""

    event: EventRecord
    line: Line
    who: str
    stored_at: datetime | None
    late: bool
    advice: Rule | None = None  # what a refusal of the venue means, by the error contract


@dataclass(frozen=True, slots=True)
class OrderPage:
    """All the page shows."""

    order: Order
    requests: list[OrderRequest]
    executions: list[Execution]
    timeline: list[TimelineEntry]
    messages: list[WireRow]
    approvals: list[AuthorisationRequest]
    exceptions: list[ExceptionItem]
    children: list[Order]
    replaces: Order | None
    replaced_by: Order | None
    route: RouteDecision | None
    makers: dict[int, str]
    waits: str = ""

    @property
    def entered_by(self) -> str:
        """Who entered it, whosever it is by now."""
        new = next((one for one in self.requests if one.kind == OrderRequest.Kind.NEW), None)
        return self.makers.get(new.maker_id, "") if new else self.order.owner.username

    @property
    def in_suspense(self) -> Decimal:
        """Units of its executions that nobody has accepted yet."""
        return sum((row.suspense_qty for row in self.executions), Decimal(0))


def get_visible_order(actor: Principal, name: str) -> Order:
    """The order with this reference or id, if it exists for the actor. Raises NotFound otherwise, saying no more."""
    return get_visible_orders(actor, [name])[0]


def get_visible_orders(actor: Principal, names: Sequence[str]) -> list[Order]:
    """As :func:`get_visible_order` for each name, in order and in one statement; one unknown name refuses them all."""
    ids = {name: found for name in names if (found := _as_id(name)) is not None}
    refs = {name: name.upper() for name in names if name not in ids}
    orders = visible_orders(actor).select_related(
        "account", "desk", "listing__instrument", "owner", "parent", "responsible"
    )
    by_name: dict[UUID | str, Order] = {}
    for order in orders.filter(Q(id__in=ids.values()) | Q(ref__in=refs.values())):
        by_name[order.pk] = by_name[order.ref] = order
    for name in names:
        if ids.get(name, refs.get(name, "")) not in by_name:
            raise NotFound("ORDER_UNKNOWN", f"There is no order {name} that you may see.")
    return [by_name[ids[name] if name in ids else refs[name]] for name in names]


def _as_id(name: str) -> UUID | None:
    try:
        return UUID(name)
    except ValueError:
        return None


def get_order_page(*, order: Order) -> OrderPage:
    """Gather the page of an order the caller has already found visible."""
    requests = list(order.requests.order_by("seq"))
    wires = list_wire_messages(
        cl_ord_ids=[request.cl_ord_id for request in requests],
        venue_order_ids=[order.venue_order_id] if order.venue_order_id else [],
    )
    near = list(Order.objects.filter(Q(id=order.replaces_id) | Q(replaces_id=order.pk)).order_by("id"))
    events = stream_records(f"order:{order.pk}", limit=MOST_EVENTS)
    return OrderPage(
        order=order,
        requests=requests,
        executions=list(order.executions.order_by("event_at", "id")),
        timeline=_timeline(events, wires),
        messages=wires,
        approvals=list(
            AuthorisationRequest.objects.filter(subject_id__in=[str(request.pk) for request in requests])
            .select_related("maker")
            .prefetch_related("decisions__checker")
            .order_by("created_at", "id")
        ),
        exceptions=list(ExceptionItem.objects.filter(order_id=order.pk).order_by("-raised_at", "id")),
        children=list(order.children.select_related("listing").order_by("id")[:200]),
        replaces=next((one for one in near if one.pk == order.replaces_id), None),
        replaced_by=next((one for one in near if one.replaces_id == order.pk), None),
        route=get_route_decision(order_id=order.pk),
        makers=names_of({request.maker_id for request in requests}),
        waits=find_waiting_reason(request_ids=[request.pk for request in requests]),
    )


def names_of(user_ids: set[int]) -> dict[int, str]:
    """User names by id."""
    return dict(User.objects.filter(pk__in=user_ids).values_list("pk", "username"))


def _timeline(events: Sequence[EventRecord], wires: Sequence[WireRow]) -> list[TimelineEntry]:
    """Events by the time they happened; what came late stands where it belongs and says so."""
    stored = {wire.id: wire.recorded_at for wire in wires}
    reports = {event.id: event.payload["report"] for event in events if event.kind == "ReportApplied"}
    people = names_of({int(event.actor[5:]) for event in events if event.actor.startswith("user:")})
    entries = []
    for event in events:
        wire_id = _wire_id(event.payload)
        entries.append(
            TimelineEntry(
                event=event,
                line=describe(event.kind, event.payload),
                who=people.get(int(event.actor[5:]), event.actor) if event.actor.startswith("user:") else event.actor,
                stored_at=stored.get(wire_id) if wire_id else None,
                late=event.recorded_at - event.event_at > LATE,
                advice=_advice(event, reports),
            )
        )
    return sorted(entries, key=lambda entry: (entry.event.event_at, entry.event.seq))


def _advice(event: EventRecord, reports: dict[UUID, dict[str, Any]]) -> Rule | None:
    """The rule for a rejection, if it came in a message that refuses; what a status answer proved has its own words."""
    report = reports.get(event.causation_id) if event.causation_id else None
    if event.kind != "RequestRejected" or report is None or report.get("exec_type") not in (None, "8"):
        return None
    return rule_for(report["msg_type"], str(event.payload.get("code") or ""), str(event.payload.get("text") or ""))


def _wire_id(payload: dict[str, Any]) -> int | None:
    for place in (payload, *(value for value in payload.values() if isinstance(value, dict))):
        if isinstance(place.get("wire_message_id"), int):
            return int(place["wire_message_id"])
    return None
