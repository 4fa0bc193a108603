"""The transition table, the precedence, and the diagrams drawn from them."""

from __future__ import annotations

import itertools
import json

import pytest

from kernel.fix import OrdStatus
from orders.domain.diagram import ord_status_diagram, request_state_diagram
from orders.domain.precedence import HIGH_TO_LOW
from orders.domain.transitions import ENDED_BY_US, INITIAL, REQUEST_MOVES, REQUEST_STATES, may_move
from orders.models import OrderRequest


def test_the_table_speaks_of_the_models_states_and_no_others() -> None:
    assert set(REQUEST_STATES) == set(OrderRequest.State.values)
    assert {move.source for move in REQUEST_MOVES} | {move.target for move in REQUEST_MOVES} == set(REQUEST_STATES)


def test_every_state_can_be_reached_and_what_we_ended_stays_ended() -> None:
    reached, frontier = {"captured"}, ["captured"]
    while frontier:
        source = frontier.pop()
        targets = {target for target in REQUEST_STATES if may_move(source, target)} - reached
        reached |= targets
        frontier.extend(targets)
    assert reached == set(REQUEST_STATES)
    assert not [pair for pair in itertools.product(ENDED_BY_US, REQUEST_STATES) if may_move(*pair)]


@pytest.mark.parametrize("pair", [("refused", "released"), ("captured", "handed_over"), ("unknown", "released")])
def test_forbidden_moves(pair: tuple[str, str]) -> None:
    assert not may_move(*pair)


def test_the_precedence_ranks_every_status_of_44_once() -> None:
    assert sorted(HIGH_TO_LOW) == sorted(status.value for status in OrdStatus if status is not OrdStatus.REPLACED)
    order = json.loads('["6","E","3","B","2","7","9","4","C","1","0","8","A","D"]')
    assert list(HIGH_TO_LOW) == order


def test_diagrams_show_every_pair() -> None:
    requests = request_state_diagram()
    assert requests.startswith("stateDiagram-v2\n    [*] --> captured\n")
    assert requests.count("[*] --> ") == len(INITIAL)
    for move in REQUEST_MOVES:
        assert f"    {move.source} --> {move.target}: {move.cause}\n" in requests
    assert ord_status_diagram().count("-->") == 6 + 31
