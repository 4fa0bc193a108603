"""Executions are matched by names and multiplicity; sentences say what can be proven; keys know no figure and no time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from reconciliation.domain.causes import Causes, Outage
from reconciliation.domain.findings import LONGEST_KEY, break_key
from reconciliation.domain.rules import Rules, doubt
from reconciliation.domain.scope import answers_for, speaks_of
from reconciliation.domain.trade_matching import Judgement, judge_trades
from reconciliation.domain.trade_records import OurTrade, TheirTrade

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = date(2026, 11, 26)
ORDER, OTHER = UUID(int=1), UUID(int=2)


def mine(number: int = 1, **values: Any) -> OurTrade:
    standard: dict[str, Any] = {
        "id": UUID(int=100 + number), "exec_id": f"X{number}", "qty": Decimal(100), "px": Decimal("72.5"), "side": "1",
        "trade_date": DAY, "event_at": NOON, "order_id": ORDER, "order_ref": "O-1", "currency": "GBP", "divisor": 100,
        "cl_ord_id": "C1", "instrument_id": UUID(int=9),
    }  # fmt: skip
    return OurTrade(**(standard | values))


def told(number: int = 1, line: int = 2, **values: Any) -> TheirTrade:
    standard: dict[str, Any] = {
        "line": line, "exec_id": f"X{number}", "qty": Decimal(100), "px": Decimal("72.5"), "order_id": ORDER,
        "order_ref": "O-1", "named": True, "cl_ord_id": "C1", "trade_date": DAY, "transact_time": NOON, "divisor": 100,
    }  # fmt: skip
    return TheirTrade(**(standard | values))


def judge(ours: list[OurTrade], theirs: list[TheirTrade], **causes: Any) -> Judgement:
    return judge_trades(ours, theirs, rules=Rules(), causes=Causes(**causes))


def categories(judgement: Judgement) -> list[str]:
    return sorted(one.category.value for one in judgement.findings)


def test_a_repeated_exec_id_on_one_order_is_matched_by_figures_and_none_is_dropped() -> None:
    ours = [mine(1), replace(mine(1, qty=Decimal(30)), id=UUID(int=7))]
    theirs = [told(1, 2, qty=Decimal(30)), told(1, 3)]
    assert (judge(ours, theirs).matched, judge(ours, theirs).findings) == (2, [])
    third = judge(ours, [*theirs, told(1, 4, qty=Decimal(5))])
    assert (third.matched, categories(third)) == (2, ["missing_internal"])
    assert "it repeats" in third.findings[0].why


def test_the_same_exec_id_on_another_order_is_another_execution() -> None:
    judgement = judge([mine(1)], [told(1, order_id=OTHER, order_ref="O-2", cl_ord_id="C2")])
    assert categories(judgement) == ["missing_external", "missing_internal"]
    assert "on another order, order O-1" in next(f.why for f in judgement.findings if f.category == "missing_internal")


def test_equal_economics_are_a_candidate_and_never_a_match() -> None:
    judgement = judge([mine(1)], [told(2)])
    missing = {one.category.value: one for one in judgement.findings}
    assert missing["missing_external"].candidates[0]["exec_id"] == "X2"
    assert missing["missing_internal"].candidates[0]["reason"]


def test_a_declared_alternate_names_the_execution() -> None:
    assert judge([mine(1)], [told(5, mapped_exec_id="X1")]).matched == 1


def test_a_group_agrees_with_all_fills_of_its_order_and_no_other() -> None:
    ours = [mine(1), mine(2, px=Decimal("72.6"))]
    line = told(9, qty=Decimal(200), px=Decimal("72.55"))
    assert (judge(ours, [line]).matched, judge(ours, [line]).findings) == (2, [])
    elsewhere = replace(line, order_id=OTHER, order_ref="O-2")
    assert categories(judge(ours, [elsewhere])) == ["missing_external", "missing_external", "missing_internal"]


@pytest.mark.parametrize(
    ("ours", "theirs", "category", "says"),
    [
        ({}, {"qty": Decimal(90)}, "quantity", "qty 100 with us, 90 with them (-10)"),
        ({}, {"px": Decimal("0.725")}, "price", "pence against pounds"),
        ({}, {"side": "2"}, "quantity", "side buy with us, sell with them"),
        ({}, {"commission": Decimal(3)}, "fee", "commission 0 with us, 3 with them (3) GBP"),
        ({}, {"trade_date": DAY + timedelta(days=1)}, "timing", "trade date 2026-11-26 with us, 2026-11-27 with them"),
        ({}, {"transact_time": NOON + timedelta(seconds=3)}, "timing", "(3 s)"),
        ({"qty": Decimal(0), "exec_ref_id": "B1"}, {}, "quantity", "busted with ExecID B1"),
    ],
)
def test_a_pair_says_how_it_differs(ours: dict[str, Any], theirs: dict[str, Any], category: str, says: str) -> None:
    judgement = judge([mine(1, **ours)], [told(1, **theirs)])
    assert categories(judgement) == [category]
    assert says in judgement.findings[0].why


@pytest.mark.parametrize("apart", [timedelta(0), timedelta(seconds=2), timedelta(seconds=-2)])
def test_times_at_the_mark_agree(apart: timedelta) -> None:
    assert judge([mine(1)], [told(1, transact_time=NOON + apart)]).findings == []


def test_a_missing_execution_says_what_can_be_proven() -> None:
    outage = Outage("XLON-A", NOON - timedelta(seconds=9), NOON + timedelta(seconds=9))
    row = [told(1)]
    cases = [
        (judge([], row), "our books never received."),
        (judge([], row, outages=(outage,)), "session XLON-A was down from 2026-11-26 11:59:51 UTC until"),
        (judge([], row, set_aside={"X1": "no such tag"}), "a message that names X1 was set aside: no such tag"),
        (judge([], [told(1, order_id=None, order_ref="")]), "no order of ours has that name"),
    ]
    for judgement, says in cases:
        assert categories(judgement) == ["missing_internal"]
        assert says in judgement.findings[0].why
    late = judge([], row, looked_at=NOON + timedelta(seconds=30))
    assert categories(late) == ["timing"]
    assert categories(judge([], row, looked_at=NOON + timedelta(seconds=60))) == ["missing_internal"]


def test_what_is_not_expected_is_not_missed_but_known() -> None:
    assert judge([mine(1, expected=False)], []).findings == []
    found = judge([mine(1, expected=False)], [told(1)])
    assert (found.findings, found.matched, found.beyond) == ([], 1, 1)


def test_the_key_follows_from_names_alone() -> None:
    first = judge([mine(1)], [told(1, 2, qty=Decimal(90))]).findings[0]
    again = judge([mine(1)], [told(1, 77, qty=Decimal(80))]).findings[0]
    assert first.key("executions", "BROKER") == again.key("executions", "BROKER")
    assert first.key("executions", "OTHER") != first.key("executions", "BROKER")
    long = break_key("executions", "S", "price", [("exec_id", "E" * 400)])
    assert len(long) == LONGEST_KEY
    assert long != break_key("executions", "S", "price", [("exec_id", "E" * 401)])


@pytest.mark.parametrize(
    ("found", "rows", "doubted"),
    [(49, 60, False), (50, 250, False), (51, 250, True), (50, 249, True), (5_000, 10**6, False), (5_001, 10**6, True)],
)
def test_when_a_file_is_doubted(found: int, rows: int, doubted: bool) -> None:
    assert bool(doubt(found=found, internal=rows, external=10, rules=Rules())) is doubted


def test_which_breaks_a_run_answers_for() -> None:
    before, after = DAY - timedelta(days=1), DAY + timedelta(days=1)
    days = (before, DAY, after)
    assert [answers_for("executions", as_of=DAY, last_seen=day) for day in days] == [False, True, False]
    assert [answers_for("positions", as_of=DAY, last_seen=day) for day in days] == [True, True, False]
    only = {"basis": {"traded"}, "account": {"A", "B"}}
    assert speaks_of(only, {"basis": "traded", "account": "A"})
    assert not speaks_of(only, {"basis": "settled", "account": "A"})
    assert not speaks_of(only, {"account": "A"})
    assert speaks_of({}, {"exec_id": "X"})
