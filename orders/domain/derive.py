"""From facts to the words and numbers people see: OrdStatus by precedence, quantities by arithmetic.

Invariants: leaves are never negative; cum_qty is the sum of effective executions; the same facts give the same answer
whatever the order or number of times they arrived in. The one thing that time changes is Done for day (and
Calculated): a GTC or GTD order wakes on its next trading day, a day order does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from kernel.fix import OrdStatus
from kernel.numbers import AVG_PX_PLACES, ZERO
from orders.domain.executions import orphan_notes
from orders.domain.facts import OrderFacts
from orders.domain.precedence import RANK
from orders.domain.state import EXACT, Answer, Note, State
from orders.domain.walk import GOOD_TILL


@dataclass(frozen=True, slots=True)
class Derived:
    """The working state. ``ord_status`` is None until the venue's first word; so may ``order_qty`` be."""

    ord_status: OrdStatus | None
    order_qty: Decimal | None
    cum_qty: Decimal
    leaves_qty: Decimal
    avg_px: Decimal
    price: Decimal | None
    stop_px: Decimal | None
    time_in_force: str
    cl_ord_id: str | None
    venue_order_id: str | None
    is_open: bool
    overfilled: bool


def derive(facts: OrderFacts, *, business_date: date) -> Derived:
    """The state of the order on ``business_date`` (the trading day of its market)."""
    state = facts.state
    today = business_date.isoformat()
    if state.done_on or state.calculated_on:
        # A report of a later day proves that the day has moved, whatever the caller's date.
        today = max(today, facts.latest)
    status = _status(state, today)
    leaves = _leaves(state)
    return Derived(
        ord_status=status,
        order_qty=state.order_qty,
        cum_qty=state.cum_qty,
        leaves_qty=leaves,
        avg_px=_avg_px(state),
        price=state.price,
        stop_px=state.stop_px,
        time_in_force=state.time_in_force,
        cl_ord_id=state.cl_ord_id,
        venue_order_id=state.venue_order_id,
        is_open=leaves > ZERO or bool(state.pending) or not _is_over(state, status),
        overfilled=is_overfilled(state),
    )


def is_overfilled(state: State) -> bool:
    """More was executed than was ordered. It counts (it happened) and is somebody's exception."""
    return state.order_qty is not None and state.cum_qty > state.order_qty


def all_notes(state: State) -> tuple[Note, ...]:
    """Everything about these facts that a person must see."""
    if not (state.notes or state.parked or state.inferred or is_overfilled(state)):
        return ()
    notes = state.notes + orphan_notes(state)
    if state.inferred:
        sentence = "The venue sends no expiry and listed nothing live after the close: the order is held as expired."
        notes += (Note("EXPIRY_INFERRED", "EXPIRY_INFERRED", "low", sentence, "inferred"),)
    if is_overfilled(state):
        sentence = "More was executed than was ordered; the excess is booked and needs a person."
        notes += (Note("OVERFILL", "OVERFILL", "critical", sentence, f"{state.cum_qty} of {state.order_qty}"),)
    return notes


def all_answers(state: State) -> tuple[Answer, ...]:
    """The venue's answers to our requests, the NEW's included (accepted by the first word that it lives)."""
    new = state.new_cl_ord_id
    if new is None or state.answer_to(new) is not None:
        return state.answers
    if state.acknowledged == "0":
        return (*state.answers, Answer(new, "accepted"))
    if _is_denied(state):
        return (*state.answers, Answer(new, "rejected", "UNKNOWN_AT_VENUE", "The venue does not know this order."))
    return state.answers


def _status(state: State, today: str) -> OrdStatus | None:
    """The highest of all states the order is in at once."""
    held: list[str] = [kind for _, kind in state.pending]
    if _is_done(state, state.done_on, today):
        held.append("3")
    if _is_done(state, state.calculated_on, today):
        held.append("B")
    if state.order_qty is not None and state.cum_qty >= state.order_qty and state.cum_qty > ZERO:
        held.append("2")
    elif state.cum_qty > ZERO:
        held.append("1")
    if state.stopped:
        held.append("7")
    if state.suspended:
        held.append("9")
    if state.ended:
        held.append(state.ended)
    if state.rejected or _is_denied(state):
        held.append("8")
    elif state.acknowledged:
        held.append(state.acknowledged)  # New, Rejected and PendingNew tie: a rejection of the order itself wins
    if not held:
        # The venue has spoken of the order, though only of requests about it: it has the order, no more is known.
        return OrdStatus.PENDING_NEW if state.heard else None
    return OrdStatus(max(held, key=RANK.__getitem__))


def _is_denied(state: State) -> bool:
    return state.denied and not state.acknowledged and not state.heard


def _is_done(state: State, done_on: str, today: str) -> bool:
    if not done_on:
        return False
    return state.time_in_force not in GOOD_TILL or today <= done_on


def _leaves(state: State) -> Decimal:
    if state.order_qty is None or state.ended:
        return ZERO
    if (state.rejected or _is_denied(state)) and state.cum_qty == ZERO:
        return ZERO
    if state.time_in_force not in GOOD_TILL and (state.done_on or state.calculated_on):
        return ZERO
    return max(EXACT.subtract(state.order_qty, state.cum_qty), ZERO)


def _is_over(state: State, status: OrdStatus | None) -> bool:
    if state.order_qty is None:
        return bool(state.ended or state.rejected or _is_denied(state))
    return status is not None


def _avg_px(state: State) -> Decimal:
    if not state.cum_qty:
        return ZERO
    return EXACT.divide(state.notional, state.cum_qty).quantize(AVG_PX_PLACES, rounding=ROUND_HALF_EVEN)
