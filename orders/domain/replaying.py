"""An order rebuilt from its events alone: its row, its requests, its executions and what it holds. Pure.

The venue's reports are folded again through the pure core; nothing that the core derives is copied from a payload. Ours
(who asked, what we decided, when it left) is what the events say. Facts are gathered and read once at the end, or
where a request of ours changes how they are read, so a replay costs one step a report however many there are.

Invariant: the events of one stream, in their sequence, give exactly the rows that the services wrote with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from journal.domain.records import EventRecord
from kernel.fix import OrdType, Side, TimeInForce
from kernel.numbers import ZERO
from orders.domain import transitions as states
from orders.domain.amending import accepted_terms
from orders.domain.applying import attention_of, request_state_of
from orders.domain.charging import charged, decision_from_json, traded_days
from orders.domain.derive import derive
from orders.domain.drafting import TELLS_ALL
from orders.domain.facts import NO_FACTS, facts_of_reports
from orders.domain.fold import request_sent
from orders.domain.replayed import ReplayedExecution, ReplayedOrder, ReplayedRequest
from orders.domain.report import Report
from orders.domain.report_json import report_of
from orders.domain.sent import sent_fact
from orders.domain.state import RequestFact
from orders.domain.suspense import Terms, acceptance_of, accepted_units, booked_excess, suspended_effect

BORN = frozenset({"OrderCaptured", "OrderPhoned"})


class Replay:
    """Takes the events of one order in their sequence; :meth:`order` is the order after those taken so far.

    Raises KeyError, ValueError or ArithmeticError for events that no service of this house could have written.
    """

    def __init__(self) -> None:
        self._order: ReplayedOrder | None = None
        self._reports: list[Report] = []
        self._unread = False
        self._cause: tuple[UUID, Report] | None = None

    def take(self, event: EventRecord) -> None:
        """One more event."""
        if self._order is None:
            if event.kind not in BORN:
                raise ValueError(f"the stream begins with {event.kind}")
            self._order = _captured(event) if event.kind == "OrderCaptured" else _phoned(event)
        elif event.seq != self._order.last_event_seq + 1:
            raise ValueError(f"event {self._order.last_event_seq + 1} is missing")
        else:
            take = _TAKES.get(event.kind)
            if take is not None:
                take(self, self._order, event)
        self._order.last_event_seq = event.seq
        self._order.updated_at = event.recorded_at

    def order(self) -> ReplayedOrder | None:
        """The order as the events taken so far tell it, or None before its first."""
        self._read()
        if self._order is not None:
            self._order.fees = traded_days(self._order.fees, self._order.executions.values())
            if self._order.suspense_account_id is not None:
                _suspend(self._order)
        return self._order

    def _read(self) -> None:
        """Fold the reports that came since the facts were last read, and derive once."""
        order = self._order
        if order is None or not self._unread:
            return
        self._unread = False
        order.facts = facts_of_reports(order.facts.requests, self._reports)
        business_date = max(order.state_date or order.fixed["trade_date"], self._reports[-1].trade_date)
        working = order.working = derive(order.facts, business_date=business_date)
        order.leaves_qty, order.is_open = working.leaves_qty, working.is_open
        for request in order.requests.values():
            if request.kind == "replace" and request.cl_ord_id == working.cl_ord_id:
                order.fixed |= accepted_terms(request.payload)
        if order.acceptances:
            order.accepted_excess = accepted_units(order.acceptances, order.facts.state)
        order.attention = attention_of(order.facts, order.accepted_excess)
        counted = {trade.identity: trade for trade in order.facts.state.execs}
        for identity, row in order.executions.items():
            trade = counted.get(identity)
            if trade is None:
                row.effective_qty = ZERO  # told again in another epoch: worth nothing beside its first telling
                continue
            row.effective_qty, row.effective_px = trade.booked
            row.stated_qty, row.stated_px = trade.stated or (None, None)
            row.exec_ref_id = trade.versions[-1] if len(trade.versions) > 1 else ""

    def _report(self, order: ReplayedOrder, event: EventRecord) -> None:
        report = report_of(event)
        self._reports.append(report)
        self._unread = True
        self._cause = (event.id, report)
        for told in event.payload.get("moved", {}).get("fees", ()):
            order.fees = order.fees.decided(*decision_from_json(told))
        order.request_state = _asked_state(order)

    def _execution(self, order: ReplayedOrder, event: EventRecord) -> None:
        if self._cause is None or self._cause[0] != event.causation_id:
            raise ValueError(f"execution event {event.id} does not follow its report")
        report, payload = self._cause[1], event.payload
        order.executions[report.identity] = ReplayedExecution(
            id=UUID(payload["execution_id"]),
            order_id=order.id,
            identity=report.identity,
            trade=report,
            event_id=event.id,
            recorded_at=event.recorded_at,
            settlement_date=date.fromisoformat(payload["settlement_date"]),
            side=order.fixed["side"],
        )
        order.fees = charged(order.fees, report.trade_date, payload)

    def _amended(self, order: ReplayedOrder, event: EventRecord) -> None:
        """The fold says what an execution is worth; only the price of one that counts no more is known from here alone."""
        self._charged(order, event).effective_px = Decimal(event.payload["effective_px"])

    def _busted(self, order: ReplayedOrder, event: EventRecord) -> None:
        self._charged(order, event)

    @staticmethod
    def _charged(order: ReplayedOrder, event: EventRecord) -> ReplayedExecution:
        """The execution of the event, after counting what was booked in charges by it."""
        execution_id = UUID(event.payload["execution_id"])
        row = next(one for one in order.executions.values() if one.id == execution_id)
        order.fees = charged(order.fees, row.trade.trade_date, event.payload)
        return row

    def _routed(self, order: ReplayedOrder, event: EventRecord) -> None:
        order.session_group, order.venue_rules = event.payload["session_group"], event.payload["venue_rules"]

    def _day_turned(self, order: ReplayedOrder, event: EventRecord) -> None:
        """The same facts on a later day: only the name of the state may be another."""
        self._read()
        order.state_date = event.business_date
        if order.working is not None:
            status = derive(order.facts, business_date=event.business_date).ord_status
            order.working = replace(order.working, ord_status=status)

    def _excess_accepted(self, order: ReplayedOrder, event: EventRecord) -> None:
        self._read()
        order.accepted_excess = Decimal(event.payload["accepted_excess"])
        order.acceptances = (*order.acceptances, acceptance_of(event.payload))
        order.attention = attention_of(order.facts, order.accepted_excess)

    def _excess_moved(self, order: ReplayedOrder, event: EventRecord) -> None:
        """Where it lies; how much of it there is, is worked out from the executions."""
        order.suspense_account_id = UUID(event.payload["suspense_account_id"])

    def _reowned(self, order: ReplayedOrder, event: EventRecord) -> None:
        """Whose it is from now on. What it held, said and was asked stays as it was."""
        order.fixed["owner_id"] = event.payload["owner_id"]

    def _asked_for(self, order: ReplayedOrder, event: EventRecord) -> None:
        payload, is_cancel = event.payload, event.kind == "CancelCaptured"
        order.last_request_seq += 1
        request = ReplayedRequest(
            id=UUID(payload["request_id"]),
            order_id=order.id,
            seq=order.last_request_seq,
            kind=payload["kind"],
            state=states.RELEASED if is_cancel else states.CAPTURED,
            cl_ord_id=payload["cl_ord_id"],
            orig_cl_ord_id=payload["orig_cl_ord_id"],
            payload={"reason": payload["reason"]} if is_cancel else payload["message"],
            maker=event.actor,
            maker_id=payload["maker_id"],
            on_behalf_of=event.on_behalf_of,
            acknowledgements=payload.get("acknowledgements", []),
            captured_at=event.recorded_at,
            released_at=event.recorded_at if is_cancel else None,
        )
        if not is_cancel:
            request.outcome_code = _first_refusal(payload["checks"])
        order.requests[request.id] = request

    def _released(self, order: ReplayedOrder, event: EventRecord) -> None:
        request = self._request(order, event)
        request.state, request.released_at = states.RELEASED, event.recorded_at
        order.request_state = _asked_state(order)

    def _held(self, order: ReplayedOrder, event: EventRecord) -> None:
        request = self._request(order, event)
        request.state = states.PENDING_AUTHORISATION
        request.authorisation_id = UUID(event.payload["authorisation_id"])
        order.request_state = _asked_state(order)

    def _refused(self, order: ReplayedOrder, event: EventRecord) -> None:
        """By the checks at once, or on approval (then a code says so)."""
        request = self._request(order, event)
        if request.state == states.CAPTURED:
            request.outcome_text = event.payload["sentence"]
            self._end(order, request, states.REFUSED)
        else:
            request.answered_at = event.recorded_at
            self._end(order, request, states.REFUSED, event.payload["code"], event.payload["sentence"])

    def _ended(self, order: ReplayedOrder, event: EventRecord) -> None:
        """We, or a person of ours, ended the request before any venue had it."""
        request, payload = self._request(order, event), event.payload
        request.answered_at = event.recorded_at
        text = payload["text"] if "text" in payload else payload["sentence"]
        self._end(order, request, _ENDS[event.kind], payload.get("code", ""), text)

    def _end(self, order: ReplayedOrder, request: ReplayedRequest, state: str, code: str = "", text: str = "") -> None:
        self._read()
        request.state = state
        request.told(code, text)
        if request.kind == "new":
            order.is_open, order.leaves_qty = False, ZERO
        order.request_state = _asked_state(order)

    def _handed_over(self, order: ReplayedOrder, event: EventRecord) -> None:
        self._read()  # what the reports before it meant, they meant without this request
        request = self._request(order, event)
        request.state, request.handed_over_at = states.HANDED_OVER, event.recorded_at
        request.orig_cl_ord_id = event.payload["orig_cl_ord_id"]
        fact = sent_fact(
            kind=request.kind,
            cl_ord_id=request.cl_ord_id,
            orig_cl_ord_id=request.orig_cl_ord_id,
            payload=request.payload,
        )
        order.facts = request_sent(order.facts, fact)
        order.request_state = _asked_state(order)

    def _unknown(self, order: ReplayedOrder, event: EventRecord) -> None:
        request = self._request(order, event)
        request.state, request.outcome_text = states.UNKNOWN, event.payload["sentence"]
        order.request_state = _asked_state(order)

    def _answered(self, order: ReplayedOrder, event: EventRecord) -> None:
        request, payload = self._request(order, event), event.payload
        request.state = states.REJECTED if event.kind == "RequestRejected" else states.ACCEPTED
        request.outcome_code, request.outcome_text = payload["code"][:60], payload["text"]
        request.answered_at = event.recorded_at
        order.request_state = _asked_state(order)

    @staticmethod
    def _request(order: ReplayedOrder, event: EventRecord) -> ReplayedRequest:
        return order.requests[UUID(event.payload["request_id"])]


_Take = Callable[[Replay, ReplayedOrder, EventRecord], None]
_TAKES: dict[str, _Take] = {
    "ReportApplied": Replay._report,
    "ExecutionRecorded": Replay._execution,
    "ExecutionCorrected": Replay._amended,
    "ExecutionBusted": Replay._busted,
    "ExcessAccepted": Replay._excess_accepted,
    "ExcessMoved": Replay._excess_moved,
    "TradingDayTurned": Replay._day_turned,
    "OrderRouted": Replay._routed,
    "OrderReowned": Replay._reowned,
    "ReplaceCaptured": Replay._asked_for,
    "CancelCaptured": Replay._asked_for,
    "OrderReleased": Replay._released,
    "ReplaceReleased": Replay._released,
    "ReplaceStaged": Replay._released,
    "OrderHeld": Replay._held,
    "ReplaceHeld": Replay._held,
    "OrderRefused": Replay._refused,
    "ReplaceRefused": Replay._refused,
    "RequestDeclined": Replay._ended,
    "RequestLapsed": Replay._ended,
    "RequestWithdrawn": Replay._ended,
    "RequestNotSent": Replay._ended,
    "RequestHandedOver": Replay._handed_over,
    "RequestUnknown": Replay._unknown,
    "RequestAccepted": Replay._answered,
    "ReplaceEnteredAnew": Replay._answered,
    "RequestRejected": Replay._answered,
}
_ENDS = {
    "RequestDeclined": states.DECLINED,
    "RequestLapsed": states.LAPSED,
    "RequestWithdrawn": states.WITHDRAWN,
    "RequestNotSent": states.REFUSED,
}


def replay(events: Iterable[EventRecord]) -> ReplayedOrder | None:
    """The order after these events of its stream, which begin with its first; None for no events."""
    taken = Replay()
    for event in events:
        taken.take(event)
    return taken.order()


def tells_all(first: EventRecord) -> bool:
    """Whether an order's first event is of a version that says enough for its rows to be rebuilt."""
    return first.kind in BORN and first.version >= TELLS_ALL


def _suspend(order: ReplayedOrder) -> None:
    """The share of each execution beyond what was ordered and accepted."""
    order_qty = order.working.order_qty if order.working else order.terms["order_qty"]
    excess = booked_excess(order.facts.state.execs, order_qty=order_qty, accepted=order.accepted_excess)
    terms = Terms(Side(order.fixed["side"]), order.price_divisor, order.currency)
    for row in order.executions.values():
        row.suspense_qty = excess.get(row.identity, ZERO)
        row.suspense_cash = suspended_effect(
            terms, qty=row.effective_qty, px=row.effective_px, excess=row.suspense_qty
        ).cash


def _asked_state(order: ReplayedOrder) -> str:
    return request_state_of((request.kind, request.state) for request in order.requests.values())


def _first_refusal(answers: Iterable[Mapping[str, Any]]) -> str:
    return next((str(answer["code"]) for answer in answers if answer["verdict"] == "refuse"), "")


def _captured(event: EventRecord) -> ReplayedOrder:
    payload, terms = event.payload, event.payload["terms"]
    order_id, cl_ord_id = UUID(payload["order_id"]), payload["cl_ord_id"]
    working = {
        "order_qty": Decimal(terms["order_qty"]),
        "price": _number(terms["price"]),
        "stop_px": _number(terms["stop_px"]),
        "time_in_force": terms["time_in_force"],
        "cl_ord_id": cl_ord_id,
        "venue_order_id": None,
    }
    instructed_at = payload.get("instructed_at")
    order = _born(event, terms=working, currency=terms["currency"])
    order.fixed |= {
        "parent_id": UUID(payload["parent_id"]) if "parent_id" in payload else None,
        "root_id": UUID(payload["root_id"]) if "root_id" in payload else order_id,
        "replaces_id": UUID(payload["replaces"]) if "replaces" in payload else None,
        "source": payload["source"],
        "client_order_id": payload["client_order_id"],
        "side": terms["side"],
        "ord_type": terms["ord_type"],
        "min_qty": _number(terms["min_qty"]),
        "max_floor": _number(terms["max_floor"]),
        "expire_at": datetime.fromisoformat(terms["expire_at"]) if terms["expire_at"] else None,
        "expire_date": date.fromisoformat(terms["expire_date"]) if terms["expire_date"] else None,
        "locate_ref": terms["locate_ref"],
        "capacity": terms["capacity"],
        "handling": terms["handling"],
        "strategy": payload.get("strategy", ""),
        "instructed_at": datetime.fromisoformat(instructed_at) if instructed_at else event.recorded_at,
        "instructed_by": payload.get("instructed_by"),
        "discretion": payload.get("discretion"),
        "responsible_id": payload.get("responsible_id"),
    }
    if "fees" in payload["instrument"]:
        order.fees = order.fees.decided(*decision_from_json(payload["instrument"]["fees"]))
    order.leaves_qty = working["order_qty"]
    order.last_request_seq = 1
    order.facts = request_sent(NO_FACTS, sent_fact(kind="new", cl_ord_id=cl_ord_id, orig_cl_ord_id=None, payload=terms))
    request = ReplayedRequest(
        id=UUID(payload["request_id"]),
        order_id=order_id,
        seq=1,
        kind="new",
        state=states.CAPTURED,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=None,
        payload=terms,
        maker=event.actor,
        maker_id=payload["owner_id"],
        on_behalf_of=event.on_behalf_of,
        acknowledgements=payload.get("acknowledgements", []),
        captured_at=event.recorded_at,
        outcome_code=_first_refusal(payload["checks"]["answers"]),
    )
    order.requests[request.id] = request
    return order


def _phoned(event: EventRecord) -> ReplayedOrder:
    payload = event.payload
    cl_ord_id = payload["cl_ord_id"]
    working = {
        "order_qty": None,
        "price": None,
        "stop_px": None,
        "time_in_force": TimeInForce.DAY.value,
        "cl_ord_id": cl_ord_id,
        "venue_order_id": payload["venue_order_id"],
    }
    order = _born(event, terms=working, currency=payload["currency"])
    order.fixed |= {
        "parent_id": None,
        "root_id": order.id,
        "replaces_id": None,
        "source": "phone",
        "client_order_id": "",
        "side": payload["side"],
        "ord_type": OrdType.MARKET.value,
        "min_qty": None,
        "max_floor": None,
        "expire_at": None,
        "expire_date": None,
        "locate_ref": "",
        "capacity": "A",
        "handling": "1",
        "strategy": "",
        "instructed_at": event.recorded_at,
        "instructed_by": None,
        "discretion": None,
        "responsible_id": None,
    }
    order.session_group, order.request_state = payload["session_group"], states.ACCEPTED
    if cl_ord_id:
        order.facts = request_sent(NO_FACTS, RequestFact("new", cl_ord_id))
    return order


def _born(event: EventRecord, *, terms: dict[str, Any], currency: str) -> ReplayedOrder:
    """What captured and phoned orders have in common."""
    payload, instrument = event.payload, event.payload["instrument"]
    order_id = UUID(payload["order_id"])
    fixed = {
        "id": order_id,
        "ref": payload["ref"],
        "account_id": UUID(payload["account_id"]),
        "desk_id": payload["desk_id"],
        "listing_id": UUID(instrument["listing_id"]),
        "owner_id": payload["owner_id"],
        "correlation_id": event.correlation_id,
        "instrument_snapshot": instrument["snapshot"],
        "entered_at": event.recorded_at,
        "trade_date": event.business_date,
    }
    return ReplayedOrder(
        id=order_id,
        fixed=fixed,
        terms=terms,
        currency=currency,
        price_divisor=instrument["price_divisor"],
        reference_price=instrument["reference_price"],
        instrument_id=UUID(instrument["instrument_id"]),
    )


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None
