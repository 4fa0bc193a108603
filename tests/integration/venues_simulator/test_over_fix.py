"""The venue over a real FIX 4.4 session: acknowledgement, trades, replace, cancel, rejects, status, two sessions."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from venues.simulator.acceptor import NotLoopback
from venues.simulator.server import Simulator
from venues.simulator.truth import read_truth

from .venue import Member, setup

pytestmark = pytest.mark.fix


def wait_until(done: Callable[[], bool]) -> None:
    """Wait up to ten seconds."""
    end = time.monotonic() + 10
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


@contextmanager
def serving(one: Simulator) -> Iterator[Simulator]:
    """The simulator at work in a thread of its own."""
    stop = threading.Event()
    one.start()
    thread = threading.Thread(target=one.serve, args=(stop,), daemon=True)
    thread.start()
    try:
        yield one
    finally:
        stop.set()
        thread.join(5)
        one.close()


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    with serving(Simulator(setup(tmp_path / "venue"))) as one:
        yield one


@pytest.fixture
def member(simulator: Simulator, tmp_path: Path) -> Iterator[Member]:
    with Member(tmp_path / "member", simulator.ports["SIM1-A"]) as one:
        yield one


def test_two_orders_meet(member: Member, tmp_path: Path) -> None:
    member.order("S1", "2", "100", "90")
    member.wait(1)
    member.order("B1", "1", "150", "90")
    assert member.wait(4) == ["S1 0/0 0/100", "B1 0/0 0/150", "B1 F/1 100/50 100@90", "S1 F/2 100/0 100@90"]
    bought = member.heard[2]
    assert (bought["6"], bought["30"], bought["55"], bought["207"]) == ("90", "XLON", "VOD.L", "XLON")
    lines = list(read_truth(tmp_path / "venue" / "SIM1" / "truth.jsonl"))
    assert [line["kind"] for line in lines] == ["day", "day", "order", "order", "execution", "execution"]
    assert lines[4]["report"]["exec_id"] == bought["17"]


def test_replace_then_cancel(member: Member) -> None:
    member.order("A", "1", "100", "89.5")
    member.wait(1)
    member.send("G", t11="B", t41="A", t55="VOD.L", t54="1", t38="80", t40="2", t44="89.6", t59="0")
    member.wait(2)
    member.send("F", t11="C", t41="B", t55="VOD.L", t54="1")
    assert member.wait(3) == ["A 0/0 0/100", "B 5/0 0/80", "C 4/4 0/0"]
    assert [message.get("41") for message in member.heard] == [None, "A", "B"]
    assert member.heard[1]["44"] == "89.6"


def test_refusals_are_answered(member: Member) -> None:
    member.order("A", "1", "100", "89.5")
    member.wait(1)
    member.order("A", "1", "100", "89.5")
    member.order("T", "1", "100", "89.505")
    member.order("U", "1", "100", "89.5", t55="NOPE")
    member.send("F", t11="C", t41="Z", t55="VOD.L", t54="1")
    member.send("D", t11="M")
    member.send("R", t131="Q")
    assert member.wait(7)[1:] == [
        "A 8/0 0/100",
        "T 8/8 0/0",
        "U 8/8 0/0",
        "C no 1/8",
        "j 5 symbol is missing",
        "j 3 MsgType R is not supported",
    ]
    assert [message.get("103") for message in member.heard[1:4]] == ["6", "99", "1"]


def test_status_requests(member: Member) -> None:
    member.order("A", "1", "100", "89.5")
    member.order("B", "1", "50", "89.4")
    member.wait(2)
    member.send("H", t11="A", t790="S1", t55="VOD.L", t54="1")
    member.send("H", t11="Z", t790="S2", t55="VOD.L", t54="1")
    member.send("AF", t584="M1", t585="7")
    assert member.wait(6)[2:] == ["A I/0 0/100", "Z I/8 0/0", "A I/0 0/100", "B I/0 0/50"]
    assert [message.get("790") for message in member.heard[2:4]] == ["S1", "S2"]
    assert [(m["584"], m["911"], m["912"]) for m in member.heard[4:]] == [("M1", "2", "N"), ("M1", "2", "Y")]
    assert member.heard[3]["103"] == "5"


def test_a_mass_status_with_nothing_open_is_answered(member: Member) -> None:
    member.send("AF", t584="M1", t585="7")
    assert member.wait(1) == [" I/8 0/0"]
    assert (member.heard[0]["911"], member.heard[0]["912"], "11" in member.heard[0]) == ("0", "Y", False)


def test_two_markets_on_two_sessions(simulator: Simulator, member: Member, tmp_path: Path) -> None:
    with Member(tmp_path / "second", simulator.ports["SIM2-A"], target="SIM2") as second:
        second.order("A", "1", "10", "399", t55="MSFT", t207="XNAS")
        member.order("A", "1", "10", "89")
        assert second.wait(1) == ["A 0/0 0/10"]
        assert member.wait(1) == ["A 0/0 0/10"]
        assert second.heard[0]["37"].startswith("SIM2-")
        member.order("X", "1", "10", "399", t55="MSFT", t207="XNAS")
        assert member.wait(2)[1] == "X 8/8 0/0"


def test_reports_made_while_the_member_is_away_are_delivered(simulator: Simulator, tmp_path: Path) -> None:
    port = simulator.ports["SIM1-A"]
    with Member(tmp_path / "member", port) as first:
        first.order("A", "1", "100", "90")
        first.wait(1)
    (tmp_path / "venue" / "script.json").write_text(
        '{"deeds": [{"id": "d", "do": "unsolicited_cancel", "cl_ord_id": "A"}]}'
    )
    time.sleep(1.2)
    with Member(tmp_path / "member", port) as again:
        assert again.wait(1) == ["A 4/4 0/0"]
        assert again.heard[0]["43"] == "Y"


def test_a_session_may_speak_fix_4_2(tmp_path: Path) -> None:
    both = setup(tmp_path / "venue")
    first = replace(both.venues[0], session=replace(both.venues[0].session, begin_string="FIX.4.2"))
    with (
        serving(Simulator(replace(both, venues=(first, both.venues[1])))) as one,
        Member(tmp_path / "member", one.ports["SIM1-A"], begin="FIX.4.2") as member,
    ):
        member.order("S", "2", "100", "90")
        member.order("B", "1", "150", "90")
        member.send("H", t11="B", t55="VOD.L", t54="1")
        member.order("T", "1", "100", "90.005")
        assert member.wait(6) == [
            "S 0/0 0/100",
            "B 0/0 0/150",
            "B 1/1 100/50 100@90",
            "S 2/2 100/0 100@90",
            "B 1/1 100/50",
            "T 8/8 0/0",
        ]
        assert [message["20"] for message in member.heard] == ["0", "0", "0", "0", "3", "0"]
        assert member.heard[5]["103"] == "0"


def test_the_numbers_survive_the_turn_of_the_engines_week(tmp_path: Path) -> None:
    now = [datetime(2026, 11, 28, 23, 59, 50, tzinfo=UTC)]
    with (
        serving(Simulator(setup(tmp_path / "venue"), clock=lambda: now[0])) as one,
        Member(tmp_path / "member", one.ports["SIM1-A"]) as member,
    ):
        member.order("A", "1", "100", "89")
        member.wait(1)
        now[0] = datetime(2026, 11, 28, 23, 59, 57, tzinfo=UTC)
        wait_until(lambda: not member.here.is_set())
        wait_until(lambda: not one.logged_on)  # each side hears of it in a thread of its own
        now[0] = datetime(2026, 11, 29, 0, 0, 0, tzinfo=UTC)
        assert member.here.wait(30)
        member.send("F", t11="C", t41="A", t55="VOD.L", t54="1")
        assert member.wait(3) == ["A 0/0 0/100", "A C/C 0/0", "C no 0/C"]
        numbers = [int(message["34"]) for message in member.heard]
        assert numbers == sorted(set(numbers))
        assert numbers[0] > 1


def test_only_this_machine_can_connect(simulator: Simulator) -> None:
    time.sleep(1.5)
    mine = {line.split()[1] for line in Path("/proc/net/tcp").read_text().splitlines()[1:] if line.split()[3] == "0A"}
    for port in simulator.ports.values():
        assert f"0100007F:{port:04X}" in mine
        assert f"00000000:{port:04X}" not in mine
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            pass


def test_it_refuses_to_listen_for_other_machines_unless_told(tmp_path: Path) -> None:
    with pytest.raises(NotLoopback, match=r"not listen on 0\.0\.0\.0"):
        Simulator(setup(tmp_path, host="0.0.0.0"))


def test_a_taken_port_is_an_error(simulator: Simulator, tmp_path: Path) -> None:
    one = Simulator(setup(tmp_path / "other", port=simulator.ports["SIM1-A"]))
    with pytest.raises(OSError, match="in use"):
        one.start()
    one.close()
