"""Fills, corrections, busts and splits."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from unittest.mock import patch

from kernel.numbers import ZERO
from orders.domain import derive, executions, walk
from orders.domain.state import EXACT, Exec, Fact, State
from tests.unit.simulation.planted_bugs.planting import bug


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
def a_split_is_booked() -> Iterator[None]:
    with patch.object(Exec, "booked", property(lambda execution: (execution.qty, execution.px))):
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
