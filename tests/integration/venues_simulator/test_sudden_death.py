"""The venue is killed with kill -9 and comes back: same books, nothing said twice, nothing it owed forgotten."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from venues.simulator.truth import read_truth

from .venue import Member, short

pytestmark = pytest.mark.fix


def free_port() -> int:
    """A port p with p and p + 1 free."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def start(directory: Path, port: int) -> subprocess.Popen[bytes]:
    """The venue as a process that already listens."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.venues_simulator.venue", str(directory), str(port)],
        stdout=subprocess.PIPE,
        env=os.environ,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9."""
    process.send_signal(signal.SIGKILL)
    process.wait(10)


def test_books_and_names_survive(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path / "venue", port)
    try:
        with Member(tmp_path / "member", port) as member:
            member.order("A", "1", "100", "89")
            member.order("B", "1", "100", "89")
            member.order("S", "2", "30", "89")
            member.wait(5)
            kill(process)
            process = start(tmp_path / "venue", port)
            assert member.here.wait(10)
            member.order("T", "2", "120", "89")
            member.wait(10)
            member.send("F", t11="C", t41="B", t55="VOD.L", t54="1")
            member.order("A", "1", "100", "89")
            told = member.wait(12)
        assert told[5:] == [
            "T 0/0 0/120",
            "A F/2 100/0 70@89",
            "T F/1 70/50 70@89",
            "B F/1 50/50 50@89",
            "T F/2 120/0 50@89",
            "C 4/4 50/0",
            "A 8/2 100/0",
        ]
        ids = Counter(message["17"] for message in member.heard)
        assert max(ids.values()) == 1
    finally:
        kill(process)


def test_killed_in_the_middle_of_a_stream_it_says_everything_exactly_once(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path / "venue", port)
    try:
        with Member(tmp_path / "member", port) as member:
            for round_ in range(3):
                for number in range(150):
                    member.order(f"{round_}-{number}", "1" if number % 2 else "2", "10", "90")
                time.sleep(0.02 * (round_ + 1))
                kill(process)
                process = start(tmp_path / "venue", port)
                assert member.here.wait(10)
            member.order("LAST", "1", "10", "80")
            end = time.monotonic() + 15
            while not any(m.get("11") == "LAST" for m in member.heard) and time.monotonic() < end:
                time.sleep(0.05)
            time.sleep(0.5)
        told = [line["report"] for line in read_truth(tmp_path / "venue" / "SIM1" / "truth.jsonl") if line["report"]]
        assert len(told) > 10
        heard = [(m["17"], m["11"], m["150"], m["14"]) for m in member.heard]
        assert heard[-1][1] == "LAST"
        assert sorted(heard) == sorted((r["exec_id"], r["cl_ord_id"], r["exec_type"], r["cum_qty"]) for r in told)
        assert len(set(heard)) == len(heard)
    finally:
        kill(process)


def test_a_report_written_but_never_handed_to_the_engine_is_sent_after_the_restart(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path / "venue", port)
    try:
        with Member(tmp_path / "member", port) as member:
            (tmp_path / "venue" / "script.json").write_text(
                '{"rules": [{"id": "r", "do": "delay", "seconds": 60, "when": {"cl_ord_id_ends": "-late"}}]}'
            )
            time.sleep(1.2)
            member.order("A-late", "1", "10", "89")
            member.order("B", "1", "10", "89")
            assert member.wait(1) == ["B 0/0 0/10"]
            kill(process)
            process = start(tmp_path / "venue", port)
            assert member.wait(2) == ["B 0/0 0/10", "A-late 0/0 0/10"]
        assert [short(message) for message in member.heard] == ["B 0/0 0/10", "A-late 0/0 0/10"]
    finally:
        kill(process)
