"""The transition table, the precedence, the diagrams drawn from them, and what the screen says."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal

import pytest

from kernel.fix import OrdStatus
from orders.domain.diagram import ord_status_diagram, request_state_diagram
from orders.domain.precedence import HIGH_TO_LOW
from orders.domain.shown_status import FAMILIES, VENUE_SAYS, WE_SAY, RequestView, shown_status
from orders.domain.transitions import ENDED_BY_US, INITIAL, REQUEST_MOVES, REQUEST_STATES, may_move
from orders.models import OrderRequest

LOUDEST = "unknown"


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


def test_every_word_has_a_family_text_and_glyph() -> None:
    assert set(VENUE_SAYS) == set(OrdStatus)
    assert set(WE_SAY) == set(REQUEST_STATES)
    for shown in [*VENUE_SAYS.values(), *WE_SAY.values()]:
        assert shown.family in FAMILIES
        assert shown.text
        assert shown.glyph


@pytest.mark.parametrize(
    ("requests", "ord_status", "cum", "code", "family"),
    [
        ([("new", "captured")], None, 0, "captured", "neutral"),
        ([("new", "pending_authorisation")], None, 0, "authorisation", "waiting"),
        ([("new", "refused")], None, 0, "refused", "refused"),
        ([("new", "released")], None, 0, "queued", "waiting"),
        ([("new", "handed_over")], None, 0, "sent", "waiting"),
        ([("new", "unknown")], None, 0, "unknown", LOUDEST),
        ([("new", "accepted")], "0", 0, "working", "working"),
        ([("new", "accepted")], "1", 40, "partial", "working"),
        ([("new", "accepted")], "2", 100, "filled", "done"),
        ([("new", "accepted")], "4", 0, "canceled", "ended"),
        ([("new", "accepted")], "4", 40, "canceled_partial", "ended"),
        ([("new", "rejected")], "8", 0, "rejected", "refused"),
        ([("new", "accepted"), ("cancel", "handed_over")], "1", 40, "cancel_sent", "waiting"),
        ([("new", "accepted"), ("cancel", "handed_over")], "6", 40, "cancel_pending", "waiting"),
        ([("new", "accepted"), ("replace", "pending_authorisation")], "0", 0, "replace_held", "waiting"),
        ([("new", "accepted"), ("replace", "declined")], "0", 0, "working", "working"),
        ([("new", "accepted"), ("cancel", "unknown")], "1", 40, "unknown", LOUDEST),
        ([("new", "accepted"), ("cancel", "released")], "2", 100, "filled", "done"),
        ([("new", "accepted")], "2", 101, "overfilled", LOUDEST),
        ([], None, 0, "unknown", LOUDEST),
        ([], "0", 0, "working", "working"),
    ],
)
def test_shown(requests: list[tuple[str, str]], ord_status: str | None, cum: int, code: str, family: str) -> None:
    views = [RequestView(*request) for request in requests]
    shown = shown_status(requests=views, ord_status=ord_status, order_qty=Decimal(100), cum_qty=Decimal(cum))
    assert (shown.code, shown.family) == (code, family)
