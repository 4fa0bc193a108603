"""Mistakes people make in systems like ours, planted one at a time into the real core or the pipeline around it.

Each is a context manager that holds while a seed is played. A bug that no seed finds would show that generator or
promises are too weak.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace as changed
from decimal import Decimal
from itertools import count
from typing import Any
from unittest.mock import patch

from accounts.domain import arithmetic
from accounts.domain.arithmetic import HoldAmounts
from kernel.numbers import ZERO, round_money_down
from orders.domain import applying, derive, executions, facts, fold, holding, precedence, walk
from orders.domain.changes import Folded
from orders.domain.facts import OrderFacts
from orders.domain.report import Position
from orders.domain.state import EXACT, Fact, State
from venues.adapters import base, registry
from venues.simulation import gateway, inbox
from venues.simulation.books import Books
from venues.simulation.house import Crash

Planting = Callable[[], Any]
BUGS: dict[str, Planting] = {}


def bug(plant: Callable[[], Iterator[None]]) -> Planting:
    """Put it on the list under its name."""
    BUGS[plant.__name__] = contextmanager(plant)
    return BUGS[plant.__name__]


# Sameness and order


@bug
def deduplication_off() -> Iterator[None]:
    with patch.object(fold, "_find", lambda kept, identity: None):
        yield


@bug
def identity_is_the_exec_id_alone() -> Iterator[None]:
    def identity(rule: Any, *, epoch: str, values: Any, exec_type: Any, dialect_type: str) -> str:
        return f"{epoch}|{values.get(17, '')}"

    with patch.object(base, "identity_of", identity):
        yield


@bug
def resends_over_a_reset_are_counted() -> Iterator[None]:
    with (
        patch.object(walk, "without_resends", lambda kept: kept),
        patch.object(fold, "is_told_again", lambda *_: False),
    ):
        yield


@bug
def a_resend_over_a_reset_has_no_place() -> Iterator[None]:
    def only_left_out(kept: Any) -> list[Fact]:
        told: set[object] = set()
        first = []
        for fact in kept:
            if not (fact.resend and fact.said_before_as in told):
                first.append(fact)
            told.add(fact.said_before_as)
        return first

    with patch.object(walk, "without_resends", only_left_out):
        yield


@bug
def the_last_place_of_a_repetition_counts() -> Iterator[None]:
    real = fold.fold

    def late(known: OrderFacts, report: Any) -> Folded:
        others = tuple(f for f in known.facts if f.identity != report.identity)
        if report.poss_resend and len(others) < len(known.facts):
            known = OrderFacts(known.requests, others, walk.walk(known.requests, others))
        return real(known, report)

    with patch.object(applying, "fold", late):
        yield


@bug
def epochs_do_not_order() -> Iterator[None]:
    with patch.object(base, "Position", lambda epoch, seq: Position("", seq)):
        yield


@bug
def facts_are_read_in_order_of_arrival() -> Iterator[None]:
    arrivals = count(1)
    with patch.object(base, "Position", lambda epoch, seq: Position("", next(arrivals))):
        yield


@bug
def what_arrives_late_is_dropped() -> Iterator[None]:
    real = fold.fold

    def strict(known: OrderFacts, report: Any) -> Folded:
        place = (report.position.epoch, report.position.seq)
        if known.facts and place < known.facts[-1].place:
            return Folded(known, (), duplicate=True)
        return real(known, report)

    with patch.object(applying, "fold", strict):
        yield


# Trades


@bug
def a_bust_adds() -> Iterator[None]:
    real = executions._apply_version

    def adds(state: State, place: int, fact: Fact) -> State:
        if fact.kind == executions.BUST:
            fact = fact._replace(
                kind=executions.CORRECTION, last_qty=EXACT.multiply(state.execs[place].qty, Decimal(2))
            )
        return real(state, place, fact)

    with patch.object(executions, "_apply_version", adds):
        yield


@bug
def a_correction_adds() -> Iterator[None]:
    real = executions._apply_version

    def adds(state: State, place: int, fact: Fact) -> State:
        if fact.kind == executions.CORRECTION:
            fact = fact._replace(last_qty=EXACT.add(state.execs[place].qty, fact.last_qty))
        return real(state, place, fact)

    with patch.object(executions, "_apply_version", adds):
        yield


@bug
def a_correction_knows_only_the_first_exec_id() -> Iterator[None]:
    def first_only(execs: Any, reference: str) -> list[int]:
        return [place for place, e in enumerate(execs) if reference == e.versions[0]]

    with patch.object(executions, "_matches", first_only):
        yield


@bug
def a_busted_trade_can_be_corrected() -> Iterator[None]:
    real = executions._apply_version

    def revives(state: State, place: int, fact: Fact) -> State:
        execs = (*state.execs[:place], state.execs[place]._replace(busted=False), *state.execs[place + 1 :])
        return real(state._replace(execs=execs), place, fact)

    with patch.object(executions, "_apply_version", revives):
        yield


@bug
def a_bust_before_its_trade_is_dropped() -> Iterator[None]:
    real = executions.amend_trade

    def impatient(state: State, fact: Fact) -> State:
        found = executions._matches(state.execs, fact.exec_ref_id or fact.exec_id)
        return real(state, fact) if found else state

    with patch.object(walk, "amend_trade", impatient):
        yield


@bug
def a_trade_after_the_end_is_dropped() -> Iterator[None]:
    real = walk._trade

    def strict(state: State, fact: Fact, requests: Any) -> State:
        return state if state.ended else real(state, fact, requests)

    with patch.object(walk, "_trade", strict):
        yield


@bug
def an_overfill_is_clipped() -> Iterator[None]:
    real = executions.add_trade

    def clips(state: State, fact: Fact) -> State:
        room = max((state.order_qty or ZERO) - state.cum_qty, ZERO)
        return real(state, fact._replace(last_qty=min(fact.last_qty, room)))

    with patch.object(walk, "add_trade", clips):
        yield


@bug
def a_status_answer_makes_a_fill() -> Iterator[None]:
    real = walk._status_answer

    def invents(state: State, fact: Fact, requests: Any) -> State:
        state = real(state, fact, requests)
        missing = (fact.cum_qty or ZERO) - state.cum_qty
        if missing <= 0:
            return state
        return executions.add_trade(state, fact._replace(last_qty=missing, last_px=state.price or Decimal(100)))

    with patch.object(walk, "_status_answer", invents):
        yield


@bug
def a_stop_is_a_trade() -> Iterator[None]:
    with patch.dict(
        walk._STEPS, {"7": lambda state, fact, requests: executions.add_trade(walk._acknowledge(state), fact)}
    ):
        yield


@bug
def a_split_leaves_the_price() -> Iterator[None]:
    real = executions._ratio

    def quantities_only(value: Decimal, up: Decimal, down: Decimal, places: Decimal) -> Decimal:
        # Quantities go by new to old, prices by old to new; the splits tried here mostly make more of old ones.
        return real(value, up, down, places) if up >= down else value

    with patch.object(executions, "_ratio", quantities_only):
        yield


@bug
def a_split_is_a_change_of_quantity() -> Iterator[None]:
    with patch.object(walk, "_is_split", lambda state, fact: False):
        yield


@bug
def the_average_price_is_a_float() -> Iterator[None]:
    def average(state: State) -> Decimal:
        if not state.cum_qty:
            return ZERO
        return Decimal(round(float(state.notional) / float(state.cum_qty), 6)).quantize(Decimal("0.0000000001"))

    with patch.object(derive, "_avg_px", average):
        yield


# States and terms


@bug
def leaves_count_from_the_first_order_quantity() -> Iterator[None]:
    real = derive.derive

    def one_leg(known: OrderFacts, **kwargs: Any) -> derive.Derived:
        found = real(known, **kwargs)
        first = known.requests[0].order_qty if known.requests else None
        if first is None or not found.leaves_qty:
            return found
        return changed(found, leaves_qty=max(first - found.cum_qty, ZERO))

    with patch.object(applying, "derive", one_leg):
        yield


@bug
def a_cancel_beats_a_fill() -> Iterator[None]:
    with patch.dict(precedence.RANK, {"4": 100}):
        yield


@bug
def a_replace_holds_from_when_it_is_sent() -> Iterator[None]:
    real = walk.start

    def eager(requests: Any) -> State:
        state = real(requests)
        for request in requests:
            if request.kind == "replace":
                state = state._replace(order_qty=request.order_qty, price=request.price)
        return state

    with patch.object(walk, "start", eager):
        yield


@bug
def a_replace_below_the_executed_stays_below() -> Iterator[None]:
    real = walk._replaced

    def plain(state: State, fact: Fact, requests: Any) -> State:
        return real(state, fact, requests)._replace(order_qty=fact.order_qty or state.order_qty, ended="")

    with patch.dict(walk._STEPS, {"5": plain}):
        yield


@bug
def a_cancel_reject_sets_the_status_it_names() -> Iterator[None]:
    real = walk._reject

    def believes(state: State, fact: Fact, requests: Any) -> State:
        state = real(state, fact, requests)
        if fact.said in ("4", "C"):
            return state._replace(ended=fact.said)
        return state._replace(rejected=True) if fact.said == "8" else state

    with patch.object(walk, "_reject", believes):
        yield


@bug
def one_level_of_previous_status() -> Iterator[None]:
    with patch.object(walk, "_cleared", lambda state, fact: state._replace(pending=())):
        yield


@bug
def pending_cancel_is_canceled() -> Iterator[None]:
    real = walk._pending

    def hopes(state: State, fact: Fact, requests: Any) -> State:
        return state._replace(ended="4") if fact.kind == "6" else real(state, fact, requests)

    with patch.dict(walk._STEPS, {"6": hopes}):
        yield


@bug
def a_rejected_replace_ends_the_order() -> Iterator[None]:
    real = walk._reject

    def ends(state: State, fact: Fact, requests: Any) -> State:
        return real(state, fact, requests)._replace(ended="4")

    with patch.object(walk, "_reject", ends):
        yield


@bug
def a_restated_quantity_is_ignored() -> Iterator[None]:
    real = walk._restated

    def deaf(state: State, fact: Fact, requests: Any) -> State:
        return real(state, fact, requests)._replace(order_qty=state.order_qty)

    with patch.dict(walk._STEPS, {"D": deaf}):
        yield


@bug
def a_restatement_wakes_what_is_suspended() -> Iterator[None]:
    real = walk._restated

    def wakes(state: State, fact: Fact, requests: Any) -> State:
        return real(state, fact, requests)._replace(suspended=False)

    with patch.dict(walk._STEPS, {"D": wakes}):
        yield


@bug
def done_for_day_is_for_ever() -> Iterator[None]:
    restated, unmarked = walk._restated, walk._unmarked

    def sleeps(state: State, fact: Fact, requests: Any) -> State:
        return restated(state, fact, requests)._replace(done_on=state.done_on)

    def keeps(state: State, fact: Fact) -> State:
        return unmarked(state, fact)._replace(done_on=state.done_on)

    with patch.dict(walk._STEPS, {"D": sleeps}), patch.object(walk, "_unmarked", keeps):
        yield


@bug
def a_duplicate_reject_kills_the_first_order() -> Iterator[None]:
    real = walk._rejected

    def kills(state: State, fact: Fact, requests: Any) -> State:
        return real(state, fact._replace(said="8", code="99"), requests)

    with patch.object(walk, "_rejected", kills):
        yield


# Money


@bug
def nothing_is_held_for_an_open_replace() -> Iterator[None]:
    real = holding.held_for

    def old_terms_only(terms: Any, **kwargs: Any) -> HoldAmounts:
        return real(terms, **{**kwargs, "asked": ()})

    with patch.object(holding, "held_for", old_terms_only), patch.object(applying, "held_for", old_terms_only):
        yield


@bug
def money_is_rounded_down() -> Iterator[None]:
    with patch.object(arithmetic, "round_money", round_money_down):
        yield


@bug
def what_was_booked_is_not_taken_back() -> Iterator[None]:
    real = arithmetic.change_effect

    def forgets(*, before: Any, **kwargs: Any) -> arithmetic.Effect:
        return real(before=(ZERO, ZERO), **kwargs)

    with patch.object(applying, "change_effect", forgets):
        yield


# The way out and the way in


@bug
def sent_before_it_is_on_record() -> Iterator[None]:
    real = gateway.hand_over

    def careless(books: Books, tick: int, crash: str) -> list[str]:
        if crash != "after_send":
            return real(books, tick, crash)
        kept = {name: copy.copy(getattr(books, name)) for name in ("orders", "waiting", "hand_overs", "origs")}
        requests = {order_id: list(rows) for order_id, rows in books.requests.items()}
        raws = real(books, tick, crash)
        for name, value in kept.items():
            setattr(books, name, value)
        books.requests = requests
        return raws

    with patch.object(gateway, "hand_over", careless):
        yield


@bug
def the_cursor_moves_before_the_fold() -> Iterator[None]:
    real = inbox.consume

    def hasty(books: Books, limit: int, tick: int, crash: str) -> None:
        if crash == "before_commit":
            books.cursor = min(books.cursor + limit, len(books.inbox))
            raise Crash
        real(books, limit, tick, crash)

    with patch.object(inbox, "consume", hasty):
        yield


@bug
def silence_is_a_rejection() -> Iterator[None]:
    real = gateway._move

    def impatient(books: Books, order: Any, request_id: Any, state: str) -> None:
        real(books, order, request_id, "rejected" if state == "unknown" else state)

    with patch.object(gateway, "_move", impatient):
        yield


@bug
def an_unknown_fate_is_kept_quiet() -> Iterator[None]:
    with patch.object(gateway, "unknown_key", lambda name: "quiet"), patch.object(applying, "unknown_key", lambda n: n):
        yield


@bug
def unmatched_reports_are_matched_by_economics() -> Iterator[None]:
    real = inbox.owner_of

    def guesses(books: Books, report: Any, by_venue_id: Any) -> Any:
        alike = (i for i, o in books.orders.items() if o.order_qty == report.order_qty and o.price == report.price)
        return real(books, report, by_venue_id) or next(alike, None)

    with patch.object(inbox, "owner_of", guesses):
        yield


@bug
def what_matches_nothing_is_forgotten() -> Iterator[None]:
    real = inbox.fold_all

    def forgets(books: Books, reports: Any, tick: int) -> Any:
        works, _, known = real(books, reports, tick)
        return works, [], known

    with patch.object(inbox, "fold_all", forgets):
        yield


@bug
def a_leaves_venue_is_sent_the_total() -> Iterator[None]:
    with patch.dict(registry.ADAPTERS, {"fix44-leaves": registry.ADAPTERS["fix44"]}):
        yield


@bug
def a_bust_is_decided_from_the_sum() -> Iterator[None]:
    real = fold.needs_all

    def seldom(known: OrderFacts, report: Any) -> bool:
        amends = report.exec_type is not None and report.exec_type.value in "GHD"
        return real(changed(known, state=known.state._replace(parked=())), report) and not amends

    def folds(known: OrderFacts, report: Any) -> Folded:
        with patch.object(fold, "needs_all", lambda *_: False):
            return fold.fold(known, report)

    with patch.object(fold, "needs_all", seldom), patch.object(applying, "fold", folds):
        yield


@bug
def facts_are_stored_with_floats() -> Iterator[None]:
    with patch.object(facts, "_number", lambda value: Decimal(float(value) * 1.0000001) if value else None):
        yield
