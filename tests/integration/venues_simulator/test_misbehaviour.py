"""Every scripted misbehaviour as a member sees it over FIX, and what the venue's truth says of it."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from venues.simulator.misbehaviour import parse_plan
from venues.simulator.server import Simulator
from venues.simulator.truth import read_truth

from .venue import Member, setup

pytestmark = pytest.mark.fix


class Stage:
    """A venue with a script and a member who is logged on."""

    def __init__(self, directory: Path, member: Member) -> None:
        self.directory = directory
        self.member = member

    def script(self, **plan: Any) -> None:
        """Write a script and wait until it is followed."""
        (self.directory / "script.json").write_text(json.dumps(plan))
        time.sleep(1.1)

    def rule(self, do: str, kind: str, **more: Any) -> None:
        """One rule on orders whose ClOrdID begins with X."""
        self.script(rules=[{"id": f"{do}-1", "do": do, "when": {"kind": kind, "cl_ord_id_starts": "X"}, **more}])

    def truth(self) -> list[dict[str, Any]]:
        """Lines about orders so far."""
        return [line for line in read_truth(self.directory / "SIM1" / "truth.jsonl") if line["order"]]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    directory = tmp_path_factory.mktemp("misbehaviour")
    simulator = Simulator(setup(directory / "venue"))
    stop = threading.Event()
    simulator.start()
    thread = threading.Thread(target=simulator.serve, args=(stop,))
    thread.start()
    with Member(directory / "member", simulator.ports["SIM1-A"]) as member:
        yield Stage(directory / "venue", member)
    stop.set()
    thread.join(5)
    simulator.close()


@pytest.fixture(autouse=True)
def fresh(stage: Stage) -> None:
    """Forget what was heard in the test before."""
    stage.member.timed.clear()


def trade(member: Member, name: str, px: str, buys: str = "10", sells: str = "10") -> None:
    """``name`` buys, and another order sells to it."""
    member.order(name, "1", buys, px)
    member.order(f"{name}-other"[1:], "2", sells, px)


def told(stage: Stage, count: int, start: str = "X") -> list[str]:
    """Reports about orders whose ClOrdID begins so."""
    return stage.member.wait(count, of=lambda m: m.get("11", "").startswith(start))


def test_a_report_is_sent_twice(stage: Stage) -> None:
    stage.rule("duplicate", "trade")
    trade(stage.member, "X1", "70")
    assert told(stage, 3) == ["X1 0/0 0/10", "X1 F/2 10/0 10@70", "X1 F/2 10/0 10@70"]
    first, second = (m for m in stage.member.heard if m["11"] == "X1" and m["150"] == "F")
    assert first["17"] == second["17"]
    assert int(second["34"]) > int(first["34"])
    assert len([line for line in stage.truth() if line["order"]["cl_ord_id"] == "X1"]) == 2


def test_a_report_comes_late(stage: Stage) -> None:
    stage.rule("delay", "new", seconds=0.5)
    began = time.perf_counter()
    stage.member.order("X2", "1", "10", "71")
    assert told(stage, 1) == ["X2 0/0 0/10"]
    assert 0.5 <= time.perf_counter() - began < 3
    stage.member.send("F", t11="2c", t41="X2", t55="VOD.L", t54="1")


def test_reports_change_places(stage: Stage) -> None:
    stage.rule("reorder", "new")
    trade(stage.member, "X3", "72")
    assert told(stage, 2) == ["X3 F/2 10/0 10@72", "X3 0/0 0/10"]


def test_a_report_is_lost_on_the_line_and_comes_when_asked_for(stage: Stage) -> None:
    stage.rule("drop", "new")
    stage.member.order("X4", "1", "10", "73")
    assert told(stage, 1) == ["X4 0/0 0/10"]
    assert stage.member.heard[0]["43"] == "Y"
    stage.member.here.wait(5)
    stage.member.send("F", t11="4c", t41="X4", t55="VOD.L", t54="1")
    assert told(stage, 1, "4c") == ["4c 4/4 0/0"]


def test_the_venue_is_silent_and_knows_it(stage: Stage) -> None:
    stage.rule("silent", "new")
    trade(stage.member, "X5", "74", buys="20")
    assert told(stage, 1) == ["X5 F/1 10/10 10@74"]
    stage.member.send("H", t11="X5", t55="VOD.L", t54="1")
    assert told(stage, 2)[1] == "X5 I/1 10/10"
    lines = [line for line in stage.truth() if line["order"]["cl_ord_id"] == "X5"]
    assert [line["delivery"] for line in lines] == ["silent", "sent"]
    stage.member.send("F", t11="5c", t41="X5", t55="VOD.L", t54="1")
    told(stage, 1, "5c")


def test_a_trade_is_busted(stage: Stage) -> None:
    stage.rule("bust", "trade")
    trade(stage.member, "X6", "75")
    assert told(stage, 3)[1:] == ["X6 F/2 10/0 10@75", "X6 H/0 0/10 10@75"]
    made, busted = (m for m in stage.member.heard if m["11"] == "X6" and m["150"] in "FH")
    assert busted["19"] == made["17"]
    stage.member.send("F", t11="6c", t41="X6", t55="VOD.L", t54="1")
    assert told(stage, 1, "6c") == ["6c 4/4 0/0"]


def test_a_trade_is_corrected(stage: Stage) -> None:
    stage.rule("correct", "trade", qty="4", px="76.5")
    trade(stage.member, "X7", "76")
    assert told(stage, 3)[2] == "X7 G/1 4/6 4@76.5"
    stage.member.send("F", t11="7c", t41="X7", t55="VOD.L", t54="1")
    told(stage, 1, "7c")


def test_more_is_filled_than_was_ordered(stage: Stage) -> None:
    stage.rule("over_fill", "new", qty="5")
    stage.member.order("X8", "1", "10", "77")
    assert told(stage, 2) == ["X8 0/0 0/10", "X8 F/2 15/0 15@77"]


def test_an_order_is_canceled_unasked_and_filled_after_it(stage: Stage) -> None:
    stage.rule("unsolicited_cancel", "new")
    stage.member.order("X9", "1", "10", "78")
    assert told(stage, 2)[1] == "X9 4/4 0/0"
    stage.script(deeds=[{"id": "late", "do": "late_fill", "cl_ord_id": "X9", "qty": "10"}])
    assert told(stage, 3)[2] == "X9 F/4 10/0 10@78"


def test_an_order_is_rejected_after_it_was_accepted(stage: Stage) -> None:
    stage.rule("reject_after_new", "new")
    stage.member.order("XA", "1", "10", "79")
    assert told(stage, 2) == ["XA 0/0 0/10", "XA 8/8 0/0"]


def test_a_script_halts_a_listing_until_it_is_gone(stage: Stage) -> None:
    stage.script(phases={"VOD.L": "halted"})
    stage.member.order("XB", "1", "10", "79")
    assert told(stage, 1) == ["XB 8/8 0/0"]
    (stage.directory / "script.json").unlink()
    time.sleep(1.1)
    stage.member.order("XC", "1", "10", "79")
    assert told(stage, 2)[1] == "XC 0/0 0/10"


def test_an_unreadable_script_is_not_followed(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    (stage.directory / "script.json").write_text("{")
    time.sleep(1.1)
    stage.member.order("XD", "1", "10", "69")
    assert told(stage, 1) == ["XD 0/0 0/10"]
    assert "script cannot be read" in caplog.text


@pytest.mark.parametrize(
    "plan",
    [
        {"rule": []},
        {"rules": [{"id": "a", "do": "explode"}]},
        {"rules": [{"do": "silent"}]},
        {"rules": [{"id": "a", "do": "silent", "when": {"colour": "red"}}]},
        {"deeds": [{"id": "a", "do": "silent", "cl_ord_id": "A"}]},
        {"phases": {"VOD.L": "lunch"}},
    ],
)
def test_a_script_of_another_shape_is_refused(plan: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError)):
        parse_plan(plan)
