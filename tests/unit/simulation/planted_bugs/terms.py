"""States and terms: what an order is, and what it asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as changed
from typing import Any
from unittest.mock import patch

from kernel.numbers import ZERO
from orders.domain import applying, derive, precedence, walk
from orders.domain.facts import OrderFacts
from orders.domain.state import Fact, State
from tests.unit.simulation.planted_bugs.planting import bug


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
