"""What the exchange answers: acceptance, executions, cancel, replace, refusals with their codes, status answers."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import timedelta
from typing import Any

import pytest

from kernel.fix import Side, TimeInForce
from venues.simulator.commands import MassStatusRequest, StatusRequest
from venues.simulator.floor import Options
from venues.simulator.model import Phase
from venues.simulator.units import SCALE

from .floor_helpers import AT, SESSION, TODAY, cancel, exchange, new, replace, said


def test_an_order_is_accepted_and_filled_in_parts() -> None:
    one = exchange()
    entries = one.handle(new("S", "2", 100, "99"), at=AT)
    entries += one.handle(new("B", "1", 60, "99"), at=AT)
    entries += one.handle(new("C", "1", 40, "100"), at=AT)
    assert said(entries) == [
        "S 0/0 0/100",
        "B 0/0 0/60",
        "B F/2 60/0 60@99",
        "S F/1 60/40 60@99",
        "C 0/0 0/40",
        "C F/2 40/0 40@99",
        "S F/2 100/0 40@99",
    ]
    ids = [entry.report["exec_id"] for entry in entries]
    assert len(set(ids)) == 7
    assert entries[0].report["order_id"] != entries[1].report["order_id"]


def test_the_average_price_is_weighted_and_rounded_to_ten_places() -> None:
    one = exchange()
    one.handle(new("S1", "2", 10, "99"), at=AT)
    one.handle(new("S2", "2", 20, "99.5"), at=AT)
    entries = one.handle(new("B", "1", 30, "100"), at=AT)
    assert entries[-2].report["avg_px"] == "99.3333333333"


def test_every_side_that_sells_is_a_seller() -> None:
    one = exchange()
    one.handle(new("B", "1", 30, "99"), at=AT)
    told = [one.handle(new(f"S{side}", side, 10, "99"), at=AT) for side in ("2", "5", "6")]
    assert [said(entries)[1] for entries in told] == ["B F/1 10/20 10@99", "B F/1 20/10 10@99", "B F/2 30/0 10@99"]
    assert [entries[2].report["side"] for entries in told] == ["2", "5", "6"]


@pytest.mark.parametrize(
    ("order", "phase", "reason"),
    [
        (new("A", symbol="NOPE"), Phase.CONTINUOUS, "1"),
        (new("A"), Phase.CLOSED, "2"),
        (new("A"), Phase.HALTED, "2"),
        (new("A", time_in_force=TimeInForce.AT_OPEN), Phase.CONTINUOUS, "4"),
        (new("A", time_in_force=TimeInForce.AT_OPEN), Phase.CLOSING_CALL, "4"),
        (new("A", time_in_force=TimeInForce.IOC), Phase.PRE_OPEN, "11"),
        (new("A", min_qty=10 * SCALE), Phase.CLOSING_CALL, "11"),
        (new("A", time_in_force=TimeInForce.AT_CLOSE, stop="98"), Phase.CONTINUOUS, "11"),
        (new("A", px=None, max_floor=10 * SCALE), Phase.CONTINUOUS, "11"),
        (new("A", qty=0), Phase.CONTINUOUS, "13"),
        (new("A", qty=15), Phase.CONTINUOUS, "13"),
        (new("A", qty=100, min_qty=110 * SCALE), Phase.CONTINUOUS, "13"),
        (new("A", qty=100, max_floor=15 * SCALE), Phase.CONTINUOUS, "13"),
        (new("A", px="99.7"), Phase.CONTINUOUS, "99"),
        (changed(new("A"), price=None), Phase.CONTINUOUS, "99"),
        (changed(new("A", px=None), price=99 * SCALE), Phase.CONTINUOUS, "99"),
        (new("A", px=None, stop="98.3"), Phase.CONTINUOUS, "99"),
        (new("A", time_in_force=TimeInForce.GTD), Phase.CONTINUOUS, "99"),
        (new("A", time_in_force=TimeInForce.GTD, expire_at=AT), Phase.CONTINUOUS, "99"),
        (new("A", time_in_force=TimeInForce.GTD, expire_date=TODAY - timedelta(1)), Phase.CONTINUOUS, "99"),
    ],
)
def test_a_refused_order_is_rejected_with_its_code_and_never_reaches_a_book(
    order: Any, phase: Phase, reason: str
) -> None:
    one = exchange(phase)
    entries = one.handle(order, at=AT)
    assert said(entries) == ["A 8/8 0/0"]
    assert entries[0].report["ord_rej_reason"] == reason
    assert one.books["VOD.L"].orders == {}


def test_a_symbol_is_found_by_market_and_any_of_its_names() -> None:
    one = exchange()
    for number, (symbol, isin) in enumerate((("VOD.L", ""), ("VOD", ""), ("anything", "GB00BH4HKS39"))):
        assert said(one.handle(new(f"A{number}", symbol=symbol, isin=isin), at=AT)) == [f"A{number} 0/0 0/100"]


def test_a_used_cl_ord_id_is_rejected_and_the_first_order_lives() -> None:
    one = exchange()
    one.handle(new("A"), at=AT)
    entries = one.handle(new("A", qty=50), at=AT)
    assert said(entries) == ["A 8/0 0/100"]
    assert entries[0].report["ord_rej_reason"] == "6"
    assert said(one.handle(new("A", qty=50, poss_resend=True), at=AT)) == ["A I/0 0/100"]
    assert said(one.handle(new("B", "2", 100, "99"), at=AT))[1:] == ["A F/2 100/0 100@99", "B F/2 100/0 100@99"]


def test_cancel_and_what_comes_too_late_or_is_unknown() -> None:
    one = exchange()
    one.handle(new("A"), at=AT)
    done = one.handle(cancel("C", "A"), at=AT)
    assert said(done) == ["C 4/4 0/0"]
    assert done[0].report["orig_cl_ord_id"] == "A"
    assert said(one.handle(cancel("D", "A"), at=AT)) == ["D no 0/4"]
    assert said(one.handle(cancel("E", "Z"), at=AT)) == ["E no 1/8"]
    assert said(one.handle(cancel("E", "A"), at=AT)) == ["E no 6/4"]
    assert one.books["VOD.L"].orders == {}


def test_replace_carries_the_new_name_and_total_quantity() -> None:
    one = exchange()
    one.handle(new("A", "1", 100, "99"), at=AT)
    one.handle(new("S", "2", 30, "99"), at=AT)
    entries = one.handle(replace("B", "A", 80, "99.5"), at=AT)
    assert said(entries) == ["B 5/1 30/50"]
    report = entries[0].report
    assert (report["orig_cl_ord_id"], report["order_qty"], report["price"]) == ("A", "80", "99.5")
    assert said(one.handle(new("T", "2", 50, "99.5"), at=AT))[1:] == ["B F/2 80/0 50@99.5", "T F/2 50/0 50@99.5"]


def test_a_replace_at_or_below_cum_qty_ends_the_order_there() -> None:
    one = exchange()
    one.handle(new("A", "1", 100, "99"), at=AT)
    one.handle(new("S", "2", 30, "99"), at=AT)
    entries = one.handle(replace("B", "A", 20), at=AT)
    assert said(entries) == ["B 5/2 30/0"]
    assert entries[0].report["order_qty"] == "30"
    assert said(one.handle(replace("C", "B", 200), at=AT)) == ["C no 0/2"]


def test_a_replace_that_crosses_is_reported_before_its_trades() -> None:
    one = exchange()
    one.handle(new("S", "2", 30, "100"), at=AT)
    one.handle(new("A", "1", 100, "99"), at=AT)
    assert said(one.handle(replace("B", "A", None, "100"), at=AT)) == [
        "B 5/0 0/100",
        "B F/1 30/70 30@100",
        "S F/2 30/0 30@100",
    ]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (replace("B", "A", 95), "99"),
        (replace("B", "A", None, "99.7"), "99"),
        (replace("B", "A", side=Side.SELL), "2"),
        (replace("B", "A", time_in_force=TimeInForce.IOC), "2"),
        (replace("B", "A", time_in_force=TimeInForce.GTD), "2"),
        (replace("B", "Z", 90), "1"),
    ],
)
def test_a_refused_replace_leaves_the_order_as_it_was(request_: Any, reason: str) -> None:
    one = exchange()
    one.handle(new("A"), at=AT)
    before = one.handle(StatusRequest(SESSION, "A", "", ""), at=AT)[0].report
    (entry,) = one.handle(request_, at=AT)
    assert (entry.report["msg_type"], entry.report["cxl_rej_reason"]) == ("9", reason)
    assert entry.report["cxl_rej_response_to"] == "2"
    assert one.handle(StatusRequest(SESSION, "A", "", ""), at=AT)[0].report == before
    assert said(one.handle(replace("C", "A", 90), at=AT)) == ["C 5/0 0/90"]


def test_a_halt_refuses_replaces_and_takes_cancels() -> None:
    one = exchange()
    one.handle(new("A"), at=AT)
    one.set_phase(["VOD.L"], Phase.HALTED, at=AT)
    assert said(one.handle(replace("B", "A", 90), at=AT)) == ["B no 2/0"]
    assert said(one.handle(cancel("C", "A"), at=AT)) == ["C 4/4 0/0"]


def test_pending_reports_come_first_where_the_venue_sends_them() -> None:
    one = exchange(options=Options(pending=frozenset({"new", "cancel", "replace"})))
    entries = one.handle(new("A"), at=AT)
    entries += one.handle(replace("B", "A", 90), at=AT)
    entries += one.handle(cancel("C", "B"), at=AT)
    assert said(entries) == [
        "A A/A 0/100",
        "A 0/0 0/100",
        "B E/E 0/100",
        "B 5/0 0/90",
        "C 6/6 0/90",
        "C 4/4 0/0",
    ]


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (new("A", px=None), ["A 0/0 0/100", "A 4/4 0/0"]),
        (new("A", time_in_force=TimeInForce.IOC), ["A 0/0 0/100", "A 4/4 0/0"]),
        (new("A", time_in_force=TimeInForce.FOK), ["A 0/0 0/100", "A 4/4 0/0"]),
        (new("A", min_qty=50 * SCALE), ["A 0/0 0/100", "A 4/4 0/0"]),
    ],
)
def test_what_cannot_be_done_at_once_is_canceled_unasked(order: Any, expected: list[str]) -> None:
    entries = exchange().handle(order, at=AT)
    assert said(entries) == expected
    assert "orig_cl_ord_id" not in entries[1].report
    assert entries[1].report["text"]


def test_status_answers_change_nothing_and_unknown_orders_are_said_to_be_unknown() -> None:
    one = exchange()
    one.handle(new("A"), at=AT)
    one.handle(new("B", qty=50), at=AT)
    counter = one.counter
    (known,) = one.handle(StatusRequest(SESSION, "A", "", "Q1"), at=AT)
    (unknown,) = one.handle(StatusRequest(SESSION, "Z", "", "Q2"), at=AT)
    assert said([known, unknown]) == ["A I/0 0/100", "Z I/8 0/0"]
    assert (known.report["exec_id"], known.report["ord_status_req_id"]) == ("0", "Q1")
    assert (unknown.report["order_id"], unknown.report["ord_rej_reason"]) == ("NONE", "5")
    answers = one.handle(MassStatusRequest(SESSION, "M"), at=AT)
    assert said(answers) == ["A I/0 0/100", "B I/0 0/50"]
    assert [entry.report["last_rpt_requested"] for entry in answers] == ["N", "Y"]
    assert one.counter == counter
    assert said(one.handle(StatusRequest("other", "A", "", ""), at=AT)) == ["A I/8 0/0"]


def test_a_mass_status_with_nothing_open_is_one_answer() -> None:
    (entry,) = exchange().handle(MassStatusRequest(SESSION, "M"), at=AT)
    assert (entry.report["tot_num_reports"], entry.report["last_rpt_requested"]) == ("0", "Y")
    assert all(entry.report.values())
