"""What an answer to a status request proves about the requests we sent: that one never arrived, or is being worked on.

Silence proves nothing, and neither does a status that fits both with and without the request.
"""

from __future__ import annotations

from orders.domain.state import Answer, Fact, RequestFact, Requests, State, answered, request_named


def denied(state: State, fact: Fact, requests: Requests) -> State:
    """The venue does not know what it was asked for: the order, or a replace or cancel that never arrived."""
    request = request_named(requests, fact.cl_ord_id)
    if request is None or request.kind == "new":
        return state._replace(denied=True)
    if state.answer_to(fact.cl_ord_id) is not None:
        return state
    # Whatever the order does, it does without this request.
    text = fact.text or "The venue does not know this request."
    return answered(state, Answer(fact.cl_ord_id, "rejected", "UNKNOWN_AT_VENUE", text))


def not_received(state: State, fact: Fact, requests: Requests) -> State:
    """Asked about a cancel or replace after it had been sent, the venue has nothing pending: then it has not got it."""
    request = request_named(requests, fact.asked_for)
    if request is None or request.kind == "new" or fact.said in ("6", "E"):
        return state
    if state.answer_to(request.cl_ord_id) is not None or any(name == request.cl_ord_id for name, _ in state.pending):
        return state
    if any(r.orig_cl_ord_id == request.cl_ord_id and _is_accepted(state, r) for r in requests):
        return state  # one that builds on it was carried out: it shows other terms because it has been replaced since
    if request.kind == "cancel" and fact.said == "4":
        return answered(state, Answer(request.cl_ord_id, "accepted", "", "The order is canceled at the venue."))
    if request.kind == "replace" and fact.cl_ord_id == request.cl_ord_id and not _old_terms(state, fact, requests):
        return state  # it may be an echo of our question or the order's new name: only a person can tell
    text = "Asked after it was sent, the venue shows the order without this request: it never arrived."
    return answered(state, Answer(request.cl_ord_id, "rejected", "NOT_RECEIVED", text))


def _is_accepted(state: State, request: RequestFact) -> bool:
    answer = state.answer_to(request.cl_ord_id)
    return answer is not None and answer.outcome == "accepted"


def _old_terms(state: State, fact: Fact, requests: Requests) -> bool:
    """Whether the venue shows the very terms that the order was last known to work under, not those of this replace.

    Any other terms may be the replace and a restatement of it.
    """
    asked, working = request_named(requests, fact.asked_for), request_named(requests, state.cl_ord_id or "")
    if asked is None or working is None:
        return False
    shown = [(fact.order_qty, asked.order_qty, working.order_qty), (fact.price, asked.price, working.price)]
    shown = [one for one in shown if one[0] is not None]
    return all(said == had for said, _, had in shown) and any(want not in (None, said) for said, want, _ in shown)


def asked_pending(state: State, fact: Fact, requests: Requests) -> State:
    """The venue is working on a request it has not reported pending: the one it names, else the oldest unanswered."""
    if any(kind == fact.said for _, kind in state.pending):
        return state
    wanted = "cancel" if fact.said == "6" else "replace"
    open_ones = [r for r in requests if r.kind == wanted and state.answer_to(r.cl_ord_id) is None]
    named = [r for r in open_ones if r.cl_ord_id == fact.cl_ord_id] or open_ones[:1]
    return state._replace(pending=(*state.pending, *((r.cl_ord_id, fact.said) for r in named)))
