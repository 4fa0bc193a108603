"""What a batch of reports means for one order: events, executions, bookings, answers, anomalies and the new snapshot. Pure.

Reports are read in the venue's order. A duplicate leaves no trace. An anomaly that the same batch settles is not raised.
The effective quantity and price of each execution are carried, so every money figure is a difference of two values. They stay
in the shares of its day when a venue states them anew for a split: events and rows say so beside them (``stated``, ADR 0066). What it
costs beside (``accounts.domain.fees``) is the difference of what the order-day owes and what is booked; ``cash_delta`` of an
event is all the cash it moved, ``fees`` the part of it that are charges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from accounts.domain.arithmetic import HoldAmounts, change_effect, trade_value
from accounts.domain.fees import NO_FEES, FeeSet, OrderFees, Traded
from accounts.domain.ledger import TradeBooking
from journal.domain.chain import EventDraft
from kernel.canonical import jsonable
from kernel.fix import OrdStatus, Side
from kernel.numbers import ZERO, plain
from orders.domain.changes import AnomalyFound, AnomalyGone, ExecutionChange, RequestAnswered
from orders.domain.charging import Decision, decision_to_json
from orders.domain.counting import counted_for
from orders.domain.derive import Derived, all_notes, derive
from orders.domain.facts import OrderFacts
from orders.domain.fold import fold
from orders.domain.holding import OPEN_STATES, asked_of, held_for, priced_of
from orders.domain.report import Report
from orders.domain.report_json import report_to_json
from orders.domain.suspense import Acceptance, accepted_units, excess_units
from risk.domain.exposure import Priced
from risk.domain.usage import NOTHING, Counted

_EVENT_KINDS = {
    "trade": "ExecutionRecorded",
    "correct": "ExecutionCorrected",
    "restate": "ExecutionCorrected",
    "bust": "ExecutionBusted",
}
_BOOKING_KINDS = {"trade": "trade", "correct": "correction", "restate": "correction", "bust": "bust"}
_ANSWERABLE = frozenset({"released", "handed_over", "unknown", "accepted", "rejected"})


class OrderRow(NamedTuple):
    """A locked order, as far as reports concern it. ``snapshot`` is the instrument data it was checked with."""

    id: UUID
    ref: str
    account_id: UUID
    correlation_id: UUID
    side: str
    ord_type: str
    order_qty: Decimal | None
    price: Decimal | None
    stop_px: Decimal | None
    time_in_force: str
    cl_ord_id: str | None
    venue_order_id: str | None
    ord_status: str | None
    cum_qty: Decimal
    leaves_qty: Decimal
    is_open: bool
    request_state: str
    trade_date: date
    version: int
    last_event_seq: int
    last_event_hash: bytes
    facts: OrderFacts
    snapshot: Mapping[str, Any]
    accepted_excess: Decimal = ZERO
    fees: OrderFees = NO_FEES
    account_class: str = ""
    acceptances: tuple[Acceptance, ...] = ()  # what ``accepted_excess`` is of


class RequestRow(NamedTuple):
    """A locked request; ``payload`` only for replaces."""

    id: UUID
    order_id: UUID
    kind: str
    state: str
    cl_ord_id: str
    payload: Mapping[str, Any] | None


@dataclass(slots=True)
class ExecutionState:
    """An execution at its latest version. ``first`` is the trade itself when this batch brought it, else None."""

    id: UUID
    change: ExecutionChange
    event_id: UUID
    first: ExecutionChange | None
    settlement_date: date
    trade_date: date


@dataclass(frozen=True, slots=True)
class Answered:
    """A request's new state with the venue's reason."""

    request_id: UUID
    state: str
    code: str
    text: str


@dataclass(slots=True)
class Applied:
    """Everything one batch does to one order."""

    order: OrderRow
    derived: Derived
    facts: OrderFacts
    request_state: str
    needs_attention: str
    shown: dict[str, Any]
    accepted_excess: Decimal
    held: HoldAmounts
    held_before: HoldAmounts
    counted: Counted
    counted_before: Counted
    fees: OrderFees = NO_FEES
    drafts: list[EventDraft] = field(default_factory=list)
    executions: dict[str, ExecutionState] = field(default_factory=dict)
    bookings: list[TradeBooking] = field(default_factory=list)
    answers: dict[UUID, Answered] = field(default_factory=dict)
    raised: dict[str, AnomalyFound] = field(default_factory=dict)
    cleared: dict[str, AnomalyGone] = field(default_factory=dict)
    reports: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Tools:
    """What the pure part is given from outside: ids, settlement dates, and ids of executions that exist.

    ``execution_days`` are their trade dates by id; ``fee_terms`` is what an order is charged by on a date, None when no schedule
    says so. ``execution_ids`` has all executions of orders whose facts are all in hand, of others those that reports name again.
    """

    new_id: Callable[[], UUID]
    settlement_date: Callable[[str, date], date]
    execution_ids: Mapping[tuple[UUID, str], UUID]
    execution_days: Mapping[UUID, date]
    fee_terms: Callable[[OrderRow, date], FeeSet | None]
    at: datetime
    actor: str


def apply_to_order(order: OrderRow, requests: Sequence[RequestRow], reports: Sequence[Report], tools: Tools) -> Applied:
    """Fold the reports of one order in the venue's order and collect what must be written."""
    by_cl_ord_id = {request.cl_ord_id: request for request in requests}
    states = {request.id: request.state for request in requests}
    before = derive(order.facts, business_date=order.trade_date)
    attention = attention_of(order.facts, order.accepted_excess)
    work = Applied(
        order=order,
        derived=before,
        facts=order.facts,
        request_state=order.request_state,
        needs_attention=attention,
        shown=_shown(order, before, attention),
        accepted_excess=order.accepted_excess,
        held=HoldAmounts(),
        counted=NOTHING,
        counted_before=_counted(order, requests, states, before),
        held_before=_held(order, requests, states, before, order.fees),
        fees=order.fees,
    )
    for report in sorted(reports, key=lambda r: (r.position.epoch, r.position.seq, r.identity)):
        if not order.facts.whole and (order.id, report.identity) in tools.execution_ids:
            work.duplicates += 1
            continue
        folded = fold(work.facts, report)
        if folded.duplicate:
            work.duplicates += 1
            continue
        work.reports += 1
        status_before = work.derived.ord_status
        work.facts = folded.facts
        if order.acceptances:
            work.accepted_excess = accepted_units(order.acceptances, work.facts.state)
        work.derived = derive(folded.facts, business_date=max(order.trade_date, report.trade_date))
        decided = _decide_fees(work, tools, folded.changes)
        payload = _report_payload(work, report, status_before, decided)
        applied_id = _event(work, tools, "ReportApplied", report, payload)
        for change in folded.changes:
            if isinstance(change, ExecutionChange):
                _execution(work, tools, change, applied_id)
            elif isinstance(change, RequestAnswered):
                _answer(work, tools, by_cl_ord_id.get(change.cl_ord_id), change, states, (report, applied_id))
            elif isinstance(change, AnomalyFound):
                work.raised[change.dedupe_key] = change
                work.cleared.pop(change.dedupe_key, None)
            elif work.raised.pop(change.dedupe_key, None) is None:
                work.cleared[change.dedupe_key] = change
    work.counted = _counted(order, requests, states, work.derived)
    work.held = _held(order, requests, states, work.derived, work.fees)
    work.request_state = request_state_of((request.kind, states[request.id]) for request in requests)
    return work


def attention_of(facts: OrderFacts, accepted_excess: Decimal) -> str:
    """The kind of the first matter about these facts that a person must see, or the empty text.

    Excess that two people have accepted is no open matter any more; one unit beyond it is.
    """
    state = facts.state
    decided = not excess_units(cum_qty=state.cum_qty, order_qty=state.order_qty, accepted=accepted_excess)
    return next((note.kind for note in all_notes(state) if not (decided and note.kind == "OVERFILL")), "")


def unknown_key(cl_ord_id: str) -> str:
    """Names, within its order, the matter of a request whose fate is unknown; an answer of the venue clears it."""
    return f"UNKNOWN:{cl_ord_id}"


def request_state_of(requests: Iterable[tuple[str, str]]) -> str:
    """The one state of ours a blotter shows, of (kind, state) pairs: unknown while any request's fate is, else the NEW's."""
    shown = "captured"
    for kind, state in requests:
        if state == "unknown":
            return state
        if kind == "new":
            shown = state
    return shown


def _held(
    order: OrderRow,
    requests: Sequence[RequestRow],
    states: Mapping[UUID, str],
    derived: Derived,
    fees: OrderFees,
) -> HoldAmounts:
    return held_for(_priced(order, derived, fees.terms), **_standing(requests, states, derived))


def _counted(order: OrderRow, requests: Sequence[RequestRow], states: Mapping[UUID, str], derived: Derived) -> Counted:
    return counted_for(_priced(order, derived, ()), **_standing(requests, states, derived))


def _priced(order: OrderRow, derived: Derived, fees: FeeSet) -> Priced:
    return priced_of(
        side=order.side,
        ord_type=order.ord_type,
        price=derived.price,
        stop_px=derived.stop_px,
        snapshot=order.snapshot,
        fees=fees,
    )


def _standing(requests: Sequence[RequestRow], states: Mapping[UUID, str], derived: Derived) -> dict[str, Any]:
    return {
        "leaves_qty": derived.leaves_qty,
        "cum_qty": derived.cum_qty,
        "is_open": derived.is_open,
        "is_filled": derived.ord_status is OrdStatus.FILLED,
        "asked": [asked_of(r.payload) for r in requests if r.payload is not None and states[r.id] in OPEN_STATES],
    }


def _event(
    work: Applied, tools: Tools, kind: str, report: Report, payload: Mapping[str, Any], cause: UUID | None = None
) -> UUID:
    event_id = tools.new_id()
    work.drafts.append(
        EventDraft(
            id=event_id,
            stream=f"order:{work.order.id}",
            kind=kind,
            actor=tools.actor,
            correlation_id=work.order.correlation_id,
            causation_id=cause,
            event_at=report.event_at,
            received_at=report.received_at,
            business_date=report.trade_date,
            payload=payload,
        )
    )
    return event_id


def _report_payload(
    work: Applied, report: Report, status_before: OrdStatus | None, decided: list[Decision]
) -> dict[str, Any]:
    """The report as it came, the working figures after it, and under ``moved`` what else is another than before."""
    derived = work.derived
    payload: dict[str, Any] = {
        "order_id": str(work.order.id),
        "account_id": str(work.order.account_id),
        "report": report_to_json(report),
        "ord_status_before": status_before.value if status_before else None,
        "ord_status": derived.ord_status.value if derived.ord_status else None,
        "order_qty": plain(derived.order_qty) if derived.order_qty is not None else None,
        "cum_qty": plain(derived.cum_qty),
        "leaves_qty": plain(derived.leaves_qty),
        "avg_px": plain(derived.avg_px),
    }
    moved = _moved(work)
    if decided:
        moved["fees"] = [decision_to_json(decision) for decision in decided]
    if moved:
        payload["moved"] = moved
    return payload


_SHOWN = ("price", "stop_px", "time_in_force", "cl_ord_id", "venue_order_id", "is_open")


def _shown(order: OrderRow, derived: Derived, attention: str) -> dict[str, Any]:
    """What the order's row says of itself, beside the figures every report tells."""
    shown = {name: getattr(order, name) for name in _SHOWN}
    return {
        **shown, "overfilled": derived.overfilled, "needs_attention": attention, "accepted_excess": order.accepted_excess
    }  # fmt: skip


def _moved(work: Applied) -> dict[str, Any]:
    """What the row will say from now on and did not say before this report; a name once learnt is not forgotten."""
    derived, shown, moved = work.derived, work.shown, {}
    work.needs_attention = attention_of(work.facts, work.accepted_excess)
    for name, old in shown.items():
        new = getattr(work if name in ("needs_attention", "accepted_excess") else derived, name)
        if new != old and not (new is None and name in ("cl_ord_id", "venue_order_id")):
            shown[name] = new
            moved[name] = jsonable(new)
    return moved


def _decide_fees(work: Applied, tools: Tools, changes: Iterable[object]) -> list[Decision]:
    """By what the order is charged on the trade dates of the changes, where that was not decided before; what is news of it.

    A trade that no schedule covers is booked like any other, charged nothing, and a person is told.
    """
    news: list[Decision] = []
    for change in changes:
        if not isinstance(change, ExecutionChange):
            continue
        day = _trade_date(work, tools, change)
        if work.fees.is_decided(day):
            continue
        # What was booked before there were fees stays uncharged, whatever is done to it.
        terms = () if change.effective_qty_before else tools.fee_terms(work.order, day)
        if terms is None:
            key = f"FEES_UNKNOWN:{day.isoformat()}"
            sentence = f"No commission schedule covers the trades of {day.isoformat()}; they are charged nothing."
            work.raised[key] = AnomalyFound("FEES_UNKNOWN", "high", sentence, change.exec_id, key)
        work.fees = work.fees.decided(day, terms or ())
        news.append((day, terms or ()))
    return news


def _trade_date(work: Applied, tools: Tools, change: ExecutionChange) -> date:
    """Of the trade itself, whatever day it was corrected or busted on."""
    known = work.executions.get(change.identity)
    if known is not None:
        return known.trade_date
    execution_id = tools.execution_ids.get((work.order.id, change.identity))
    return tools.execution_days[execution_id] if execution_id is not None else change.report.trade_date


def _execution(work: Applied, tools: Tools, change: ExecutionChange, cause: UUID) -> None:
    order, snapshot, report = work.order, work.order.snapshot, change.report
    known = work.executions.get(change.identity)
    execution_id = known.id if known else tools.execution_ids.get((order.id, change.identity))
    first = known.first if known else (change if execution_id is None else None)
    execution_id = execution_id or tools.new_id()
    currency, divisor = snapshot["currency"], snapshot["price_divisor"]
    side = Side(order.side)
    after = (change.effective_qty, change.effective_px)
    effect = change_effect(
        side=side,
        before=(change.effective_qty_before, change.effective_px_before),
        after=after,
        divisor=divisor,
        currency=currency,
    )
    trade_date = _trade_date(work, tools, change)
    before = Traded(change.effective_qty_before, change.effective_px_before)
    work.fees, charged = work.fees.traded(trade_date, before, Traded(*after), divisor=divisor, currency=currency)
    cost = sum((charge.amount for charge in charged), ZERO)
    value = trade_value(qty=after[0], px=after[1], divisor=divisor, currency=currency).amount
    settlement_date = tools.settlement_date(snapshot["mic"], trade_date)
    payload = {
        "order_id": str(order.id),
        "execution_id": str(execution_id),
        "account_id": str(order.account_id),
        "exec_id": change.exec_id,
        "exec_ref_id": change.exec_ref_id,
        "effective_qty_before": plain(change.effective_qty_before),
        "effective_px_before": plain(change.effective_px_before),
        "effective_qty": plain(change.effective_qty),
        "effective_px": plain(change.effective_px),
        "value": plain(value),
        "currency": currency,
        "cash_delta": plain(effect.cash - cost),
        "side": order.side,
        "instrument_id": snapshot["instrument_id"],
        "trade_date": trade_date.isoformat(),
        "settlement_date": settlement_date.isoformat(),
    }
    if change.stated is not None:
        payload |= {"stated_qty": plain(change.stated[0]), "stated_px": plain(change.stated[1])}
    if charged:
        payload["fees"] = [[charge.kind, charge.name, charge.version, plain(charge.amount)] for charge in charged]
    event_id = _event(work, tools, _EVENT_KINDS[change.kind], report, payload, cause)
    born = known.event_id if known else event_id
    work.executions[change.identity] = ExecutionState(execution_id, change, born, first, settlement_date, trade_date)
    work.bookings.append(
        TradeBooking(
            account_id=order.account_id,
            order_id=order.id,
            execution_id=execution_id,
            event_id=event_id,
            kind=_BOOKING_KINDS[change.kind],
            side=side,
            instrument_id=UUID(snapshot["instrument_id"]),
            currency=currency,
            qty_delta=effect.qty,
            cash_delta=effect.cash,
            trade_date=trade_date,
            settlement_date=settlement_date,
            charges=tuple(charged),
        )
    )


def _answer(
    work: Applied,
    tools: Tools,
    request: RequestRow | None,
    change: RequestAnswered,
    states: dict[UUID, str],
    cause: tuple[Report, UUID],
) -> None:
    if request is None or states[request.id] == change.outcome:
        return
    if states[request.id] not in _ANSWERABLE:
        key = f"ANSWER_TO_UNSENT:{request.cl_ord_id}"
        sentence = f"The venue {change.outcome} a request that we hold as {states[request.id]} and never sent."
        work.raised[key] = AnomalyFound("ANSWER_TO_UNSENT", "critical", sentence, request.cl_ord_id, key)
        return
    if states[request.id] == "unknown":
        key = unknown_key(request.cl_ord_id)
        work.cleared[key] = AnomalyGone("REQUEST_UNKNOWN", key)
    states[request.id] = change.outcome
    work.answers[request.id] = Answered(request.id, change.outcome, change.code, change.text)
    _event(
        work,
        tools,
        "RequestAccepted" if change.outcome == "accepted" else "RequestRejected",
        cause[0],
        {
            "order_id": str(work.order.id),
            "request_id": str(request.id),
            "cl_ord_id": change.cl_ord_id,
            "code": change.code,
            "text": change.text,
        },
        cause[1],
    )
