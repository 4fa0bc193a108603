"""The rows of an order as its events tell them: what ``replaying`` builds and what the tables are compared with. Pure.

Names are those of the columns. A column that no event tells is named in ``NOT_TOLD`` with the reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.arithmetic import HoldAmounts
from accounts.domain.fees import NO_FEES, OrderFees, fees_to_json
from kernel.fix import OrdStatus
from kernel.numbers import ZERO
from orders.domain.derive import Derived
from orders.domain.facts import NO_FACTS, OrderFacts, facts_to_json
from orders.domain.holding import OPEN_STATES, asked_of, held_for, priced_of
from orders.domain.report import Report
from orders.domain.suspense import Acceptance

NOT_TOLD = {
    "Order": {"last_event_hash": "the journal proves it: it is the hash of the last event"},
    "OrderRequest": {
        "idempotency_key": "it decides nothing once the call is answered",
        "checks": "answers that did not pass are told, of all of them the digest",
        "decision": "what the checks saw is kept once, of it the digest is told",
    },
    "Execution": {},
}


@dataclass(slots=True)
class ReplayedRequest:
    """A row of ``OrderRequest`` as the events tell it; names are those of the columns."""

    id: UUID
    order_id: UUID
    seq: int
    kind: str
    state: str
    cl_ord_id: str
    orig_cl_ord_id: str | None
    payload: Mapping[str, Any]
    maker: str
    maker_id: int
    on_behalf_of: str
    acknowledgements: list[Any]
    captured_at: datetime
    authorisation_id: UUID | None = None
    outcome_code: str = ""
    outcome_text: str = ""
    released_at: datetime | None = None
    handed_over_at: datetime | None = None
    answered_at: datetime | None = None

    def told(self, code: str, text: str) -> None:
        """Keep the outcome's code and text where there is one; an outcome without words leaves those of before."""
        if code or text:
            self.outcome_code, self.outcome_text = code[:60], text

    def columns(self) -> dict[str, Any]:
        return {item.name: getattr(self, item.name) for item in fields(self)}


@dataclass(slots=True)
class ReplayedExecution:
    """A row of ``Execution``: what its trade said, and what it is worth after all that followed."""

    id: UUID
    order_id: UUID
    identity: str
    trade: Report
    event_id: UUID
    recorded_at: datetime
    settlement_date: date
    side: str
    exec_ref_id: str = ""
    effective_qty: Decimal = ZERO
    effective_px: Decimal = ZERO
    stated_qty: Decimal | None = None
    stated_px: Decimal | None = None
    suspense_qty: Decimal = ZERO
    suspense_cash: Decimal = ZERO

    @property
    def trade_date(self) -> date:
        return self.trade.trade_date

    def columns(self) -> dict[str, Any]:
        """As the table's row."""
        trade = self.trade
        return {
            "id": self.id,
            "order_id": self.order_id,
            "identity": self.identity,
            "exec_id": trade.exec_id,
            "exec_ref_id": self.exec_ref_id,
            "exec_type": trade.exec_type.value if trade.exec_type else "",
            "cl_ord_id": trade.cl_ord_id,
            "side": self.side,
            "last_qty": trade.last_qty,
            "last_px": trade.last_px,
            "effective_qty": self.effective_qty,
            "effective_px": self.effective_px,
            "stated_qty": self.stated_qty,
            "stated_px": self.stated_px,
            "suspense_qty": self.suspense_qty,
            "suspense_cash": self.suspense_cash,
            "last_mkt": trade.last_mkt,
            "session_epoch": trade.position.epoch,
            "msg_seq_num": trade.position.seq,
            "wire_message_id": trade.wire_message_id,
            "event_id": self.event_id,
            "event_at": trade.event_at,
            "received_at": trade.received_at,
            "recorded_at": self.recorded_at,
            "trade_date": trade.trade_date,
            "settlement_date": self.settlement_date,
        }


@dataclass(slots=True)
class ReplayedOrder:
    """A row of ``Order`` and what hangs on it. ``working`` is the derived part, None until the venue has spoken."""

    id: UUID
    fixed: dict[str, Any]
    terms: dict[str, Any]
    currency: str
    price_divisor: int
    reference_price: str | None
    instrument_id: UUID
    facts: OrderFacts = NO_FACTS
    working: Derived | None = None
    attention: str = ""
    state_date: date | None = None
    fees: OrderFees = NO_FEES
    accepted_excess: Decimal = ZERO
    acceptances: tuple[Acceptance, ...] = ()
    suspense_account_id: UUID | None = None
    session_group: str = ""
    venue_rules: Mapping[str, Any] = field(default_factory=dict)
    request_state: str = ""
    is_open: bool = True
    leaves_qty: Decimal = ZERO
    last_request_seq: int = 0
    last_event_seq: int = 0
    updated_at: datetime | None = None
    requests: dict[UUID, ReplayedRequest] = field(default_factory=dict)
    executions: dict[str, ReplayedExecution] = field(default_factory=dict)

    def columns(self) -> dict[str, Any]:
        """As the table's row; ``instrument_snapshot`` is the digest of it."""
        working = self.working
        return {
            **self.fixed,
            **self.terms,
            **(_derived_columns(working, self.terms) if working else _NOTHING_SAID),
            "session_group": self.session_group,
            "venue_rules": self.venue_rules,
            "last_request_seq": self.last_request_seq,
            "facts": facts_to_json(self.facts),
            "leaves_qty": self.leaves_qty,
            "request_state": self.request_state,
            "is_open": self.is_open,
            "needs_attention": self.attention,
            "state_date": self.state_date,
            "fees": fees_to_json(self.fees) or None,
            "accepted_excess": self.accepted_excess,
            "suspense_account_id": self.suspense_account_id,
            "updated_at": self.updated_at,
            "version": self.last_event_seq,
            "last_event_seq": self.last_event_seq,
        }

    @property
    def cum_qty(self) -> Decimal:
        return self.working.cum_qty if self.working else ZERO

    @property
    def held(self) -> HoldAmounts:
        """What the order holds of its account."""
        working = self.working
        terms = priced_of(
            side=self.fixed["side"],
            ord_type=self.fixed["ord_type"],
            price=working.price if working else self.terms["price"],
            stop_px=working.stop_px if working else self.terms["stop_px"],
            snapshot={
                "reference_price": self.reference_price,
                "currency": self.currency,
                "price_divisor": self.price_divisor,
            },
            fees=self.fees.terms,
        )
        asked = [
            asked_of(request.payload)
            for request in self.requests.values()
            if request.kind == "replace" and request.state in OPEN_STATES
        ]
        return held_for(
            terms,
            leaves_qty=self.leaves_qty,
            cum_qty=self.cum_qty,
            is_open=self.is_open,
            is_filled=working is not None and working.ord_status is OrdStatus.FILLED,
            asked=asked,
        )


_NOTHING_SAID = {"ord_status": None, "cum_qty": ZERO, "avg_px": ZERO, "overfilled": False}


def _derived_columns(working: Derived, terms: Mapping[str, Any]) -> dict[str, Any]:
    """The columns a report writes; a quantity or name once known is not forgotten."""
    return {
        "ord_status": working.ord_status.value if working.ord_status else None,
        "order_qty": working.order_qty if working.order_qty is not None else terms["order_qty"],
        "cum_qty": working.cum_qty,
        "avg_px": working.avg_px,
        "price": working.price,
        "stop_px": working.stop_px,
        "time_in_force": working.time_in_force,
        "cl_ord_id": working.cl_ord_id or terms["cl_ord_id"],
        "venue_order_id": working.venue_order_id or terms["venue_order_id"],
        "overfilled": working.overfilled,
    }
