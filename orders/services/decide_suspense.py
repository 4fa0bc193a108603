"""A second person's word on what lies in suspense, applied at once: accepted, put on record, or disowned to the venue."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.models import User
from authorisation.selectors import get_principal
from authorisation.services.decide_request import Applied, Asking, Subject
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.errors import Conflict, NotFound
from kernel.fix import Side
from kernel.ids import new_id
from kernel.numbers import plain
from orders.domain.applying import attention_of
from orders.domain.disowning import NO_MATCHING_ORDER, QUANTITY_EXCEEDS, disowned_payload, trades_of_reports
from orders.domain.facts import facts_from_json
from orders.domain.kept_report import report_of
from orders.models import Execution, Order, UnknownOrder, UnmatchedReport
from orders.permissions import can_see
from orders.services._booking import book_facts
from orders.services._excess import move_excess
from orders.services._holds import lock_order_whole
from orders.services._moving import Said, record
from orders.services._suspense import (
    ACCEPT_EXCESS,
    ACCEPT_UNKNOWN,
    ANSWER_DK,
    KIND,
    excess_of,
    lock_unknown,
    split_of,
)
from orders.services._unmatched import join
from orders.services.apply_reports import apply_reports
from orders.services.record_phoned_order import record_phoned_order

Details = Mapping[str, Any]


def _load(asking: Asking) -> None:
    if not _sees(asking.actor, asking.payload):
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")


def _apply(asking: Asking, case: None) -> Applied:
    decision = asking.payload["decision"]
    _APPLY[decision](asking.payload, asking.actor, asking.facts.maker_id, asking.at)
    return Applied(_DONE[decision])


def _decline(asking: Asking, case: None) -> str:
    return "It was declined; what lies in suspense stays there."


_DONE = {
    ACCEPT_EXCESS: "The excess is the order's own now.",
    ANSWER_DK: "The venue is told; what lies in suspense stays until it takes the trades back.",
    ACCEPT_UNKNOWN: "The order is on record and its reports have joined it.",
}


def _sees(actor: Principal, details: Details) -> bool:
    """Of orders: only with the order."""
    if "ref" not in details:
        return True
    row = Order.objects.filter(id=details["subject_id"]).values_list("desk_id", "account__group_id").first()
    return row is not None and can_see(actor, desk_id=row[0], group_id=row[1])


def _accept_excess(details: Details, actor: Principal, maker_id: int, at: datetime) -> None:
    order, _, _ = lock_order_whole(UUID(details["subject_id"]))
    had, qty, state = excess_of(order), Decimal(details["qty"]), facts_from_json(order.facts).state
    said_of = details.get("split", ["1", "1"])
    if said_of != split_of(state):
        sentence = f"The venue has stated {order.ref} anew for a split since this was asked; ask again in its units."
        raise Conflict("EXCESS_RESTATED", sentence)
    if qty > had:
        raise Conflict("NO_EXCESS", f"{order.ref} has {plain(had)} units of excess now, not {plain(qty)}.")
    order.accepted_excess += qty
    order.needs_attention = attention_of(facts_from_json(order.facts), order.accepted_excess)
    payload = {
        "order_id": str(order.id),
        "qty": plain(qty),
        "split": said_of,
        "accepted_excess": plain(order.accepted_excess),
        "needs_attention": order.needs_attention,
        "reason": details["reason"],
        "maker_id": maker_id,
    }
    said = Said("ExcessAccepted", payload, actor.actor, actor.on_behalf_of)
    record(order, [said], at=at, changed=["accepted_excess", "needs_attention"])
    book_facts(move_excess(order, had=had, actor=actor.actor, at=at), actor=actor.actor, at=at)


def _answer_dk(details: Details, actor: Principal, maker_id: int, at: datetime) -> None:
    if details["about"] == "order":
        _disown_excess(UUID(details["subject_id"]), details, actor, at)
    else:
        _disown_unknown(UUID(details["subject_id"]), details, actor, at)


def _disown_excess(order_id: UUID, details: Details, actor: Principal, at: datetime) -> None:
    order, _, _ = lock_order_whole(order_id)
    rows = Execution.objects.filter(order=order, suspense_qty__gt=0).order_by("session_epoch", "msg_seq_num", "id")
    trades = [(row.exec_ref_id or row.exec_id, *row.as_venue_says) for row in rows]
    if not trades:
        raise Conflict("NO_EXCESS", f"{order.ref} has no excess in suspense now.")
    payload = disowned_payload(
        about="order",
        subject_id=order.id,
        account_id=order.suspense_account_id,
        name=order.venue_order_id or "",
        reason=QUANTITY_EXCEEDS,
        text=details["reason"],
        side=order.side,
        order_qty=order.order_qty,
        instrument=order.instrument_snapshot,
        trades=trades,
    ) | {"session_group": order.session_group, "ref": order.ref}
    record(order, [Said("TradesDisowned", payload, actor.actor, actor.on_behalf_of)], at=at)


def _disown_unknown(unknown_id: UUID, details: Details, actor: Principal, at: datetime) -> None:
    unknown = lock_unknown(unknown_id)
    reports = [report_of(row.report) for row in UnmatchedReport.objects.filter(unknown=unknown, order__isnull=True)]
    listing = unknown.listing
    payload = disowned_payload(
        about="unknown",
        subject_id=unknown.id,
        account_id=unknown.account_id,
        name=unknown.name,
        reason=NO_MATCHING_ORDER,
        text=details["reason"],
        side=unknown.side or next((report.side for report in reports if report.side), ""),
        order_qty=None,
        instrument={"symbol": listing.symbol, "mic": listing.market_id} if listing is not None else {},
        trades=trades_of_reports(reports),
    ) | {"session": unknown.session}
    if not payload["trades"]:
        raise Conflict("NO_EXCESS", f"Order {unknown.name} has no trade that could be disowned.")
    unknown.state = UnknownOrder.State.DK
    unknown.save(update_fields=["state"])
    draft = EventDraft(
        id=new_id(),
        stream=f"unknown:{unknown.id}",
        kind="TradesDisowned",
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=unknown.id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload=payload,
    )
    append_to_stream(drafts=[draft], at=at)


def _accept_unknown(details: Details, actor: Principal, maker_id: int, at: datetime) -> None:
    """The maker puts it on record, as it would a phoned order; then its reports are folded into it."""
    unknown_id = UUID(details["subject_id"])
    order_id = record_phoned_order(
        actor=get_principal(User.objects.get(pk=maker_id)),
        at=at,
        account=details["account"],
        symbol=details["symbol"],
        side=Side(details["side"]),
        session_group=details["session_group"],
        venue_order_id=details["name"],
    )
    waiting = list(UnmatchedReport.objects.filter(unknown_id=unknown_id, order__isnull=True).order_by("id"))
    apply_reports(reports=[report_of(row.report) for row in waiting], at=at)
    lock_unknown(unknown_id)
    moved = join({row.id: order_id for row in waiting}, state=UnknownOrder.State.ACCEPTED, actor=actor.actor, at=at)
    book_facts(moved, actor=actor.actor, at=at)


_APPLY: dict[str, Callable[[Details, Principal, int, datetime], None]] = {
    ACCEPT_EXCESS: _accept_excess,
    ANSWER_DK: _answer_dk,
    ACCEPT_UNKNOWN: _accept_unknown,
}

_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_suspense = _SUBJECT.decide
"""Approve or decline what is to become of it.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
