"""Move what was executed beyond OrderQty into suspense, and back when room is made or a person accepts it.

Everything is booked to the order's account first; this books the difference between what lies in suspense and what should
(``domain.suspense``) from one account to the other, by one event of the order. Callers hold the order's lock. The suspense
account is locked last, by the booking: nobody holds it and wants an order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

from accounts.domain.arithmetic import Effect
from accounts.domain.ledger import TradeBooking
from accounts.selectors import find_suspense_account
from journal.bulk import update_rows
from journal.domain.chain import EventDraft
from journal.domain.records import ANOMALY_CLEARED, Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.fix import Side
from kernel.numbers import ZERO, plain
from orders.domain.facts import facts_from_json, facts_of_reports
from orders.domain.holding import instrument_of
from orders.domain.suspense import Terms, booked_excess, suspended_effect
from orders.models import Execution, Order
from orders.selectors.history import find_reports
from orders.services._moving import Said, record

OVERFILL = "OVERFILL"
SUSPENSE_MISSING = "SUSPENSE_MISSING"


class _Move(NamedTuple):
    """One execution whose share in suspense is another than before."""

    row: Execution
    qty: Decimal
    cash: Decimal
    change: Effect


def move_excess(order: Order, *, had: Decimal, actor: str, at: datetime) -> list[TradeBooking]:
    """Write the event and the shares of the executions; returns what is to be booked, empty when nothing moves.

    ``had`` is how much excess nobody had accepted there was before.
    """
    terms = terms_of(order)
    rows = list(Execution.objects.filter(order=order).order_by("id"))
    # Read from all reports: the row of an execution keeps the place of the telling that arrived first, not of the first.
    facts = facts_of_reports(facts_from_json(order.facts).requests, find_reports([order.id])[order.id])
    wanted = booked_excess(facts.state.execs, order_qty=order.order_qty, accepted=order.accepted_excess)
    _tell(order, had, sum(wanted.values(), ZERO), actor, at)
    moves = [move for row in rows if (move := _move(terms, row, wanted.get(row.identity, ZERO)))]
    if not moves:
        return []
    if order.suspense_account_id is None:
        order.suspense_account_id = find_suspense_account(order.desk_id)
    if order.suspense_account_id is None:
        _tell_missing(order, actor, at)
        return []
    payload = _payload(order, moves)
    event = record(
        order, [Said("ExcessMoved", payload, actor)], at=at, changed=["suspense_account_id"]
    )[0]  # fmt: skip
    update_rows(
        Execution,
        [(move.row.id, move.qty, move.cash) for move in moves],
        key=("id",),
        fields=("suspense_qty", "suspense_cash"),
    )
    return [booking for move in moves for booking in _bookings(order, terms, move, event.draft.id)]


def terms_of(order: Order) -> Terms:
    """What turns the order's units into money."""
    snapshot: Mapping[str, Any] = order.instrument_snapshot
    return Terms(Side(order.side), snapshot["price_divisor"], snapshot["currency"])


def _move(terms: Terms, row: Execution, excess: Decimal) -> _Move | None:
    effect = suspended_effect(terms, qty=row.effective_qty, px=row.effective_px, excess=excess)
    signed = row.suspense_qty if terms.side.is_buy else -row.suspense_qty
    change = effect - Effect(signed, row.suspense_cash)
    return _Move(row, excess, effect.cash, change) if change != Effect(ZERO, ZERO) else None


def _payload(order: Order, moves: Sequence[_Move]) -> dict[str, Any]:
    return {
        "order_id": str(order.id),
        "account_id": str(order.account_id),
        "suspense_account_id": str(order.suspense_account_id),
        "accepted_excess": plain(order.accepted_excess),
        "side": order.side,
        "instrument_id": order.instrument_snapshot["instrument_id"],
        "currency": order.instrument_snapshot["currency"],
        "executions": [
            {
                "execution_id": str(move.row.id),
                "suspense_qty": plain(move.qty),
                "suspense_cash": plain(move.cash),
                "qty_delta": plain(move.change.qty),
                "cash_delta": plain(move.change.cash),
                "trade_date": move.row.trade_date.isoformat(),
                "settlement_date": move.row.settlement_date.isoformat(),
            }
            for move in moves
        ],
    }


def _bookings(order: Order, terms: Terms, move: _Move, event_id: UUID) -> list[TradeBooking]:
    """What the suspense account gets the order's account gives."""
    assert order.suspense_account_id is not None
    return [
        TradeBooking(
            account_id=account_id,
            order_id=order.id,
            execution_id=move.row.id,
            event_id=event_id,
            kind="suspense",
            side=terms.side,
            instrument_id=instrument_of(order.instrument_snapshot),
            currency=terms.currency,
            qty_delta=sign * move.change.qty,
            cash_delta=sign * move.change.cash,
            trade_date=move.row.trade_date,
            settlement_date=move.row.settlement_date,
        )
        for account_id, sign in ((order.suspense_account_id, 1), (order.account_id, -1))
    ]


def _tell(order: Order, before: Decimal, after: Decimal, actor: str, at: datetime) -> None:
    """The matter is open while there is excess that nobody accepted, and tells again when there is another amount of it."""
    if before == after:
        return
    drafts: list[EventDraft] = []
    if after:
        sentence = (
            f"{order.ref}: {plain(after)} more were executed than ordered; they lie in suspense until somebody accepts "
            "them or tells the venue that we do not know them."
        )
        drafts.append(anomaly_draft(anomaly=_anomaly(order, OVERFILL, sentence, after), actor=actor, at=at))
    else:
        sentence = f"{order.ref}: nothing that was executed is beyond what was ordered or accepted any more."
        settled = _anomaly(order, OVERFILL, sentence, after)
        drafts.append(anomaly_draft(anomaly=settled, actor=actor, at=at, kind=ANOMALY_CLEARED))
    append_to_stream(drafts=drafts, at=at)


def _tell_missing(order: Order, actor: str, at: datetime) -> None:
    sentence = f"{order.ref}: the excess is booked to the order's own account, because no suspense account is set up."
    anomaly = _anomaly(order, SUSPENSE_MISSING, sentence, None)
    append_to_stream(drafts=[anomaly_draft(anomaly=anomaly, actor=actor, at=at)], at=at)


def _anomaly(order: Order, kind: str, sentence: str, excess: Decimal | None) -> Anomaly:
    return Anomaly(
        kind=kind,
        severity=Severity.CRITICAL,
        subject_type="order",
        subject_id=str(order.id),
        sentence=sentence,
        dedupe_key=f"order:{order.id}:{kind}",
        evidence={"ref": order.ref, "excess": plain(excess) if excess is not None else None},
    )
