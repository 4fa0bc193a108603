"""Roles are started, restarted, and never outlive the supervisor, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from oms_project.house import processes, supervisor
from oms_project.house.paths import ROOT, House
from tests.house.support import process_of, start_fake, state_of, wait_until

pytestmark = pytest.mark.house
NAMES = ["database", "steady", "master", "stubborn", "broken"]


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[tuple[Path, subprocess.Popen[bytes]]]:
    var = tmp_path / "var"
    started = start_fake(var)
    wait_until(lambda: process_of(var, "broken").get("restarts") and (var / "worker_pid").exists())
    yield var, started
    if started.poll() is None:
        started.terminate()
        started.wait(10)
    supervisor.clean_leftovers(House(root=ROOT, var=var))


def test_a_killed_role_is_started_again(fake: tuple[Path, subprocess.Popen[bytes]]) -> None:
    var, _ = fake
    first = process_of(var, "steady")
    assert (first["state"], first["restarts"]) == ("running", 0)

    os.kill(first["pid"], signal.SIGKILL)
    again = wait_until(
        lambda: (row := process_of(var, "steady"))["restarts"] == 1 and row["state"] == "running" and row
    )

    assert again["pid"] != first["pid"]
    assert again["last_exit"] == "signal 9"
    assert process_of(var, "master")["restarts"] == 0


def test_a_role_that_cannot_start_waits_longer_each_time(fake: tuple[Path, subprocess.Popen[bytes]]) -> None:
    var, _ = fake
    row = wait_until(lambda: (found := process_of(var, "broken"))["restarts"] >= 2 and found)

    assert row["last_exit"] == "exit 1"
    assert "this role cannot start" in (var / "log" / "broken.log").read_text()
    assert row["restarts"] < 5
    assert process_of(var, "steady")["restarts"] == 0


def test_the_workers_of_a_killed_master_go_with_it(fake: tuple[Path, subprocess.Popen[bytes]]) -> None:
    var, _ = fake
    worker = int((var / "worker_pid").read_text())
    assert processes.is_alive(worker)

    os.kill(process_of(var, "master")["pid"], signal.SIGKILL)

    wait_until(lambda: not processes.is_alive(worker))


def test_stop_ends_roles_first_and_servers_last(fake: tuple[Path, subprocess.Popen[bytes]]) -> None:
    var, started = fake
    pids = [row["pid"] for row in state_of(var)["processes"] if row["pid"]]
    worker = int((var / "worker_pid").read_text())

    started.send_signal(signal.SIGTERM)

    assert started.wait(10) == 0
    ended = (var / "ended").read_text().split()
    assert sorted(ended[:2]) == ["master", "steady"]
    assert ended[2:] == ["database"]
    assert [pid for pid in [*pids, worker] if processes.is_alive(pid)] == []
    assert not (var / "run" / "house.json").exists()


def test_after_kill_9_of_the_supervisor_a_second_start_is_clean(fake: tuple[Path, subprocess.Popen[bytes]]) -> None:
    var, first = fake
    before = state_of(var)
    worker = int((var / "worker_pid").read_text())
    pids = {row["name"]: row["pid"] for row in before["processes"]}

    first.kill()
    first.wait()
    wait_until(lambda: not processes.is_alive(pids["steady"]) and not processes.is_alive(pids["database"]))
    assert processes.is_alive(pids["stubborn"])
    assert processes.is_alive(worker)

    second = start_fake(var)
    try:
        now = wait_until(lambda: (s := state_of(var)).get("supervisor", {}).get("pid") == second.pid and s)
        wait_until(lambda: [row["name"] for row in state_of(var)["processes"]] == NAMES)
        assert now["supervisor"]["pid"] != before["supervisor"]["pid"]
        assert not processes.is_alive(pids["stubborn"])
        assert not processes.is_alive(worker)
        assert process_of(var, "steady")["state"] == "running"
    finally:
        second.terminate()
        assert second.wait(10) == 0


def test_a_pid_that_came_back_is_not_ours(tmp_path: Path) -> None:
    house = House(root=ROOT, var=tmp_path)
    house.prepare()
    state = {"supervisor": {"pid": os.getpid(), "started": "1"}, "started": {str(os.getpid()): "1"}}

    assert supervisor.running_supervisor(state) is None
    assert os.getpid() not in supervisor.leftovers(house, state)
