"""Read facts in the venue's order and say what they amount to. One small function for each kind of report.

``walk`` reads all facts; ``step`` reads one more that stands after all read so far: the two agree by construction.
Nothing here looks at what the state was called before ("previous status"): pending requests, marks and quantities are
kept side by side, and ``derive`` picks the name by precedence. So accepted, pending replace, pending cancel, cancel
rejected falls back to pending replace.

A report flagged PossResend is read as nothing when an earlier one is the same but for its epoch. That is asked of the
set of facts, each time they are read, so that it cannot matter which of the two arrived first.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from kernel.numbers import ZERO
from orders.domain.executions import BUST, CORRECTION, TRADES, add_trade, add_trades, amend_trade, split
from orders.domain.precedence import outranks
from orders.domain.repeats import without_resends
from orders.domain.state import EXACT, Answer, Fact, Note, Requests, State, answered, request_named
from orders.domain.status_answers import asked_pending, denied, not_received

GOOD_TILL = frozenset("16")  # GTC and GTD outlive the trading day; every other time in force ends with it
LIVE = frozenset("01")
UNKNOWN_ORDER = "1"  # CxlRejReason (102)
DUPLICATE_ORDER = "6"  # OrdRejReason (103)
CORPORATE_ACTION = "0"  # ExecRestatementReason (378)
INFERRED_EXPIRY = "xC"  # ours: the day is over, the venue sends no expiry and lists nothing live


def start(requests: Requests) -> State:
    """The state before the venue has said anything: the terms of our NEW, or nothing for a phoned order."""
    for request in requests:
        if request.kind == "new":
            return State(
                cl_ord_id=request.cl_ord_id,
                new_cl_ord_id=request.cl_ord_id,
                order_qty=request.order_qty,
                price=request.price,
                stop_px=request.stop_px,
                time_in_force=request.time_in_force or "0",
            )
    return State()


def walk(requests: Requests, facts: Sequence[Fact]) -> State:
    """The state after all ``facts``, which must stand in the venue's order."""
    state = start(requests)
    run: list[Fact] = []
    for fact in without_resends(facts):
        if _only_trades(state, fact):
            run.append(fact)  # read as one: thousands of fills would copy thousands of executions each
            continue
        state = step(add_trades(state, run), fact, requests)
        run = []
    return add_trades(state, run)


def _only_trades(state: State, fact: Fact) -> bool:
    """Whether a trade does nothing to this state but add its execution, so that the next may be judged by it as well."""
    return (
        fact.kind in TRADES
        and fact.last_qty > ZERO
        and not fact.resend
        and fact.cl_ord_id == state.cl_ord_id
        and fact.venue_order_id == state.venue_order_id
        and state.acknowledged == "0"
        and state.heard
        and state.order_qty is not None
        and not (state.ended or state.rejected or state.inferred or state.parked)
        and not (state.stopped or state.suspended or state.done_on or state.calculated_on)
    )


def step(state: State, fact: Fact, requests: Requests) -> State:
    """The state after one more fact, which stands after all read so far."""
    if state.inferred:
        state = state._replace(ended="", inferred=False)  # we concluded; now the venue speaks
    if fact.kind in TRADES:
        # Nearly all reports are trades: no detour for them.
        return _trade(state, fact, requests)
    if fact.orig_cl_ord_id:
        state = _predecessor(state, fact, requests)
    if fact.kind == "R":
        return _reject(state, fact, requests)
    if fact.kind == "8":
        return _rejected(state, fact, requests)
    if fact.kind == "I":
        return _status_answer(state, fact, requests)
    if fact.kind == INFERRED_EXPIRY:
        return _expired_by_inference(state, fact, requests)
    apply = _STEPS.get(fact.kind)
    if apply is None:
        sentence = "The venue sent a kind of report this house does not know; it was kept and changed nothing."
        return _noted(state, Note(f"UNKNOWN_KIND:{fact.identity}", "UNKNOWN_KIND", "high", sentence, fact.kind))
    return apply(_known(_unmarked(state, fact), fact), fact, requests)


def _trade(state: State, fact: Fact, requests: Requests) -> State:
    if fact.cl_ord_id != state.cl_ord_id and _proves_replace(state, fact, requests):
        state = _replaced(state, fact, requests)
    state = _known(_unmarked(state, fact), fact)
    if fact.resend and _counted(state, fact):
        if fact.cum_qty in (None, state.cum_qty):
            return state
        sentence = (
            "A trade flagged as possibly resent is known but for its CumQty, which fits neither; it was not counted."
        )
        return _noted(state, Note(f"RESEND_UNSURE:{fact.identity}", "RESEND_UNSURE", "high", sentence, fact.exec_id))
    if state.acknowledged != "0":
        state = state._replace(acknowledged="0")  # the first report may be the trade: it acknowledges as well
    if state.ended or state.rejected or (state.done_on and not _lasts(state)):
        # A late trade on a dead order counts (it happened) and never reopens the order; a person is told.
        sentence = "A trade was reported after the order had ended; it is counted, the order stays ended."
        state = _noted(state, Note(f"LATE_TRADE:{fact.identity}", "LATE_TRADE", "medium", sentence, fact.exec_id))
    return add_trade(state, fact)


def _counted(state: State, fact: Fact) -> bool:
    """A flagged trade whose ExecID, quantity and price are known, and which by the venue's own sum adds nothing.

    Venues resend with the CumQty of now. One that grows by this trade makes it a new one, whatever its ExecID.
    """
    if fact.cum_qty is not None and fact.cum_qty == EXACT.add(state.cum_qty, fact.last_qty):
        return False
    told = (fact.exec_id, fact.last_qty, fact.last_px)
    return any((e.versions[0], e.last_qty, e.last_px) == told for e in state.execs)


def _predecessor(state: State, fact: Fact, requests: Requests) -> State:
    """Which name an answer gives as its predecessor differs from venue to venue; one that is not of this order is wrong.

    Right are the last accepted, the last sent and the first ClOrdID, thus any of the order's. Of a phoned order the
    names are the broker's affair. What the report says is read all the same: it names this order by other means.
    """
    named = fact.orig_cl_ord_id
    if state.new_cl_ord_id is None or named == state.cl_ord_id or request_named(requests, named) is not None:
        return state
    if any(named == name for name, _ in state.pending) or state.answer_to(named) is not None:
        return state
    sentence = "The venue answered a request naming a predecessor (OrigClOrdID) that is none of this order's."
    return _noted(state, Note(f"WRONG_PREDECESSOR:{fact.identity}", "WRONG_PREDECESSOR", "high", sentence, named))


def _new(state: State, fact: Fact, requests: Requests) -> State:
    if fact.said == "D" and state.acknowledged == "":
        return state._replace(acknowledged="D")
    if fact.said == "A" and state.acknowledged in ("", "D"):
        return state._replace(acknowledged="A")
    if state.rejected:
        sentence = (
            "The venue accepted an order that it had rejected before; it stays rejected until a person has looked."
        )
        return _noted(state, Note(f"NEW_AFTER_REJECT:{fact.identity}", "CONTRADICTION", "high", sentence, fact.exec_id))
    # New on a suspended or stopped order is its reinstatement.
    return state._replace(acknowledged="0", suspended=False)


def _pending_new(state: State, fact: Fact, requests: Requests) -> State:
    return state._replace(acknowledged="A") if state.acknowledged in ("", "D") else state


def _done_for_day(state: State, fact: Fact, requests: Requests) -> State:
    return _acknowledge(state)._replace(done_on=fact.trade_date)


def _calculated(state: State, fact: Fact, requests: Requests) -> State:
    return _acknowledge(state)._replace(calculated_on=fact.trade_date)


def _stopped(state: State, fact: Fact, requests: Requests) -> State:
    # LastQty and LastPx are the guarantee, not a trade.
    return _acknowledge(state)._replace(stopped=True)


def _suspended(state: State, fact: Fact, requests: Requests) -> State:
    return _acknowledge(state)._replace(suspended=True)


def _triggered(state: State, fact: Fact, requests: Requests) -> State:
    return _acknowledge(state)._replace(suspended=False)


def _pending(state: State, fact: Fact, requests: Requests) -> State:
    """PendingCancel or PendingReplace: carries the old terms. No acknowledgement, a cancel may be answered first."""
    name = fact.cl_ord_id
    if request_named(requests, name) is not None and state.answer_to(name) is not None:
        return state  # the request has had its answer; a pending that follows it is an echo
    pending = tuple(p for p in state.pending if p[0] != name)
    return state._replace(pending=(*pending, (name, fact.kind)))


def _ended(state: State, fact: Fact, requests: Requests) -> State:
    """Canceled or Expired, asked for or not. The venue's last word of the two names the state (they tie)."""
    state = _acknowledge(state)._replace(ended=fact.kind)
    request = request_named(requests, fact.cl_ord_id)
    if request is not None and request.kind == "cancel" and fact.kind == "4":
        state = answered(state, Answer(fact.cl_ord_id, "accepted"))
    elif request is not None and request.kind == "replace" and fact.cl_ord_id != state.cl_ord_id:
        # Asked to replace, the venue ended the order instead: the replace did not take place.
        state = answered(state, Answer(fact.cl_ord_id, "rejected", "ENDED_INSTEAD", fact.text))
    if fact.said in ("6", "E"):
        return _cleared(state, fact)
    # The venue says the order is over, which a pending request would outrank: none is. Their own answers may follow.
    return state._replace(pending=())


def _replaced(state: State, fact: Fact, requests: Requests) -> State:
    request = request_named(requests, fact.cl_ord_id)
    asked = request if request is not None and request.kind == "replace" else None
    order_qty = fact.order_qty or (asked.order_qty if asked else None) or state.order_qty
    if order_qty is not None and order_qty < state.cum_qty:
        # Less than is executed already: a request to stop. OrderQty becomes CumQty and the order is Filled. What had been
        # executed beyond the order before stays beyond it: no replace downwards makes an over-fill ordered.
        ordered = state.cum_qty if state.order_qty is None else min(state.cum_qty, state.order_qty)
        order_qty = max(order_qty, ordered)
    state = _acknowledge(state)._replace(
        cl_ord_id=fact.cl_ord_id or state.cl_ord_id,
        order_qty=order_qty,
        price=_latest(fact.price, asked.price if asked else None, state.price),
        stop_px=_latest(fact.stop_px, asked.stop_px if asked else None, state.stop_px),
        time_in_force=(asked.time_in_force if asked else None) or state.time_in_force,
    )
    state = _reopened(_cleared(state, fact), fact)
    if asked is not None:
        state = answered(state, Answer(fact.cl_ord_id, "accepted"))
    return state


def _proves_replace(state: State, fact: Fact, requests: Requests) -> bool:
    """A trade under the new ClOrdID and with the new terms: exchanges bundle the acceptance with the fill.

    Fills of a pending replace carry the old ClOrdID, OrderQty and Price, so these can only come after it was accepted.
    """
    request = request_named(requests, fact.cl_ord_id)
    if request is None or request.kind != "replace" or state.answer_to(fact.cl_ord_id) is not None:
        return False
    same_qty = request.order_qty is None or fact.order_qty == request.order_qty
    same_price = request.price is None or fact.price is None or fact.price == request.price
    return same_qty and same_price


def _restated(state: State, fact: Fact, requests: Requests) -> State:
    """The venue changes the order unasked: quantity, price, renewal for the day, or a stock split."""
    # It wakes what was done, unless the venue still calls it so; Suspended ended above, if by its status it has.
    woken = _acknowledge(state)._replace(
        done_on=state.done_on if fact.said == "3" else "", calculated_on=state.calculated_on if fact.said == "B" else ""
    )
    state = _reopened(woken, fact)
    old_qty = state.order_qty
    if _is_split(state, fact) and old_qty and fact.order_qty:
        state = split(state, old_qty, fact.order_qty)
    return state._replace(
        order_qty=fact.order_qty or old_qty,
        price=_latest(fact.price, None, state.price),
        stop_px=_latest(fact.stop_px, None, state.stop_px),
    )


def _is_split(state: State, fact: Fact) -> bool:
    """A corporate action, or CumQty moved in the very ratio of OrderQty although nothing was traded."""
    if not fact.order_qty or not state.order_qty or fact.order_qty == state.order_qty:
        return False
    if fact.code == CORPORATE_ACTION:
        return True
    if fact.cum_qty is None or fact.cum_qty == state.cum_qty or state.cum_qty == ZERO:
        return False
    return EXACT.multiply(fact.cum_qty, state.order_qty) == EXACT.multiply(state.cum_qty, fact.order_qty)


def _rejected(state: State, fact: Fact, requests: Requests) -> State:
    """ExecType Rejected: of the order itself, of a request, or of a duplicate while the first order lives."""
    request = request_named(requests, fact.cl_ord_id)
    # Under the ClOrdID of an accepted replace it is the order that is rejected, no longer the replace.
    if request is not None and request.kind != "new" and fact.cl_ord_id != state.cl_ord_id:
        return _reject(state, fact, requests)
    duplicate = fact.code == DUPLICATE_ORDER and state.acknowledged == "0"
    if (fact.said and fact.said != "8") or duplicate:
        # The status and quantities describe the first order, which lives: nothing about it has changed.
        sentence = "The venue rejected a duplicate of this order; the first one lives on."
        state = _noted(state, Note(f"DUPLICATE:{fact.identity}", "DUPLICATE_REJECTED", "medium", sentence, fact.code))
        return _known(state, fact)
    if state.cum_qty:
        sentence = "The venue rejected an order that has traded; the trades count and the rest is held as open."
        state = _noted(
            state, Note(f"REJECT_TRADED:{fact.identity}", "REJECTED_AFTER_TRADE", "high", sentence, fact.code)
        )
    state = _known(_unmarked(state, fact), fact)._replace(rejected=True, pending=())
    return _new_answered(state, "rejected", fact)


def _reject(state: State, fact: Fact, requests: Requests) -> State:
    """35=9, or 35=3 and 35=j that name a request. Its OrdStatus is never applied: venues fill it in carelessly."""
    request = request_named(requests, fact.cl_ord_id)
    if request is not None and request.kind == "new":
        return _new_answered(state._replace(rejected=True, heard=True, pending=()), "rejected", fact)
    if request is not None:
        answer = state.answer_to(fact.cl_ord_id)
        if answer is not None and answer.outcome == "accepted":
            sentence = "The venue rejected a request that it had carried out; what it carried out stands."
            state = _noted(state, Note(f"ANSWERED_TWICE:{fact.identity}", "CONTRADICTION", "high", sentence, fact.code))
        else:
            state = answered(state, Answer(fact.cl_ord_id, "rejected", fact.code, fact.text))
    state = _cleared(state, fact)
    if not state.acknowledged and fact.code != UNKNOWN_ORDER:
        # The one thing believed of it: a venue that names a live status knows the order (cancel answered first).
        return state._replace(acknowledged=_level(fact.said), heard=state.heard or bool(_level(fact.said)))
    return state


def _status_answer(state: State, fact: Fact, requests: Requests) -> State:
    """An answer to a status request: it tells what we missed, but never makes a trade."""
    if fact.said in ("8", ""):
        return denied(state, fact, requests) if fact.said else state
    return not_received(_shown(state, fact, requests), fact, requests)


def _shown(state: State, fact: Fact, requests: Requests) -> State:
    """What a status answer shows of the order itself."""
    state = _known(_unmarked(state, fact), fact)
    if fact.said in ("6", "E"):
        return asked_pending(state, fact, requests)
    if fact.cl_ord_id != state.cl_ord_id and _proves_replace(state, fact, requests):
        state = _replaced(state, fact, requests)  # it works under the new ClOrdID: we missed the acceptance
    level = _level(fact.said)
    if level and state.acknowledged != "0":
        state = state._replace(acknowledged=level)
    if fact.said in ("4", "C") and not state.ended:
        return state._replace(ended=fact.said, acknowledged="0", pending=())
    if fact.said == "3":
        return state._replace(done_on=fact.trade_date)
    if fact.said == "7":
        return state._replace(stopped=True)
    if fact.said == "9":
        return state._replace(suspended=True)
    return state


def _expired_by_inference(state: State, fact: Fact, requests: Requests) -> State:
    over = state.ended or state.rejected or (state.order_qty is not None and state.cum_qty >= state.order_qty)
    return state if over else state._replace(ended="C", inferred=True, pending=())


def _level(said: str) -> str:
    """How far an order is acknowledged by a venue that gives it this status; "" where the status proves nothing."""
    if said in ("A", "D"):
        return said
    return "0" if said in ("0", "1", "2", "3", "7", "9", "B") else ""


def _known(state: State, fact: Fact) -> State:
    """What any execution report tells: the venue's OrderID, and the terms of an order that came without any."""
    if fact.venue_order_id and fact.venue_order_id != state.venue_order_id:
        state = state._replace(venue_order_id=fact.venue_order_id)
    if state.heard and state.order_qty is not None:
        return state
    # A phoned order, or one by cash amount: OrderQty is the first report's.
    order_qty = fact.order_qty if state.order_qty is None and fact.order_qty else state.order_qty
    price = fact.price if state.new_cl_ord_id is None and state.price is None else state.price
    return state._replace(heard=True, order_qty=order_qty, price=price)


def _unmarked(state: State, fact: Fact) -> State:
    """Drop marks the venue no longer holds: it names a status that they would outrank, were they still true."""
    if not (state.stopped or state.suspended or state.done_on or state.calculated_on):
        return state
    said = fact.said
    if state.stopped and outranks("7", said):
        state = state._replace(stopped=False)
    if state.suspended and outranks("9", said):
        state = state._replace(suspended=False)
    if said in ("A", "D", ""):
        return state
    # A day order that is done stays done unless the venue says in so many words that something is left to do.
    open_again = fact.kind not in (BUST, CORRECTION) and (
        said in ("2", "4", "C") or _lasts(state) or bool(fact.leaves_qty and said in LIVE)
    )
    if open_again and state.done_on and outranks("3", said):
        state = state._replace(done_on="")
    if open_again and state.calculated_on and outranks("B", said):
        state = state._replace(calculated_on="")
    return state


def _lasts(state: State) -> bool:
    return state.time_in_force in GOOD_TILL


def _acknowledge(state: State) -> State:
    return state if state.acknowledged == "0" else state._replace(acknowledged="0")


def _reopened(state: State, fact: Fact) -> State:
    # Only an accepted replace or a restatement that names a live status brings a dead order back; a trade never does.
    return state._replace(ended="") if state.ended and fact.said in LIVE and fact.leaves_qty != ZERO else state


def _cleared(state: State, fact: Fact) -> State:
    """The request is no longer pending. Venues that report pending under the order's own ClOrdID are met half-way."""
    if not state.pending:
        return state
    names = {fact.cl_ord_id, ""}
    if fact.orig_cl_ord_id:
        names.add(fact.orig_cl_ord_id if fact.orig_cl_ord_id == state.cl_ord_id else "")
    if fact.kind == "5" and state.cl_ord_id:
        names.add(fact.orig_cl_ord_id)
    return state._replace(pending=tuple(p for p in state.pending if p[0] not in names))


def _new_answered(state: State, outcome: str, fact: Fact) -> State:
    if state.new_cl_ord_id is None:
        return state
    return answered(state, Answer(state.new_cl_ord_id, outcome, fact.code, fact.text))


def _latest(said: Decimal | None, asked: Decimal | None, had: Decimal | None) -> Decimal | None:
    if said is not None:
        return said
    return asked if asked is not None else had


def _noted(state: State, note: Note) -> State:
    return state._replace(notes=(*state.notes, note))


def _amended(state: State, fact: Fact, requests: Requests) -> State:
    return amend_trade(_acknowledge(state), fact)


_STEPS: dict[str, Callable[[State, Fact, Requests], State]] = {
    "0": _new,
    "3": _done_for_day,
    "4": _ended,
    "5": _replaced,
    "6": _pending,
    "7": _stopped,
    "9": _suspended,
    "A": _pending_new,
    "B": _calculated,
    "C": _ended,
    "D": _restated,
    "E": _pending,
    CORRECTION: _amended,
    BUST: _amended,
    "L": _triggered,
}
