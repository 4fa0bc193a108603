"""The whole house: opened once, hurt in every way, still there; closed, and nothing is left of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from oms_project.house import environment, processes, supervisor
from oms_project.house.paths import ROOT, House, socket_directory
from oms_project.house.throwaway import free_ports
from tests.house.support import clean_environment, process_of, state_of, wait_until

pytestmark = [pytest.mark.house, pytest.mark.timeout(300)]
# Who waits for what must come gives it time: the load that neighbours of this minute will make is not known when it begins.
OPENS_WITHIN_S = 240.0
ROLES = {
    *(
        "supervisor",
        "valkey",
        "postgres",
        "web",
        "stream",
        "worker",
        "relay",
        "picture",
        "inbox",
        "inbox-2",
        "prices",
        "webhooks",
        "simulator",
        "custodian",
    ),
}
GATEWAYS = {"gateway-SIM1", "gateway-SIM2"}


def ignore_interrupts() -> None:
    """What a shell does to a program it starts in the background."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def crowding() -> float:
    """How many times slower than alone this machine is now: runnable processes for each CPU, at least 1."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))


class Running:
    """One house under test, in a directory of its own, started as from the background of a shell."""

    def __init__(self, directory: Path) -> None:
        self.var = directory / "var"
        self.output = directory / "up.out"
        first = free_ports(4)
        self.variables = clean_environment(
            OMS_VAR_DIR=str(self.var),
            OMS_WEB_PORT=str(first),
            OMS_STREAM_PORT=str(first + 1),
            OMS_FIX_PORT=str(first + 2),
        )
        self.web = first
        self.process = self.start()

    def start(self) -> subprocess.Popen[bytes]:
        with self.output.open("wb") as output:
            command = [sys.executable, "-m", "oms_project.house", "up", "--no-flow"]
            return subprocess.Popen(
                command,
                cwd="/",
                env=self.variables,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=ignore_interrupts,
            )

    def verb(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "oms_project.house", *arguments]
        return subprocess.run(command, env=self.variables, capture_output=True, text=True, check=False)

    def wait_open(self) -> str:
        def answer() -> str:
            text = self.output.read_text()
            assert self.process.poll() is None, text
            return text if "Ctrl-C stops everything" in text else ""

        return str(wait_until(answer, OPENS_WITHIN_S))

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.verb("status", "--json").stdout))

    def page(self) -> int:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.web}/sign-in", timeout=5) as answer:
            return int(answer.status)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    house = Running(tmp_path_factory.mktemp("house"))
    try:
        house.wait_open()
        yield house
    finally:
        if house.process.poll() is None:
            house.process.send_signal(signal.SIGTERM)
            house.process.wait(60)
        supervisor.clean_leftovers(House(root=ROOT, var=house.var))


def test_the_first_start_says_each_step_the_address_and_who_may_come_in(running: Running) -> None:
    text = running.output.read_text()

    for step in (
        "PostgreSQL and Valkey",
        "loading the application",
        "database tables",
        "demo desk",
        "static files",
        "invariants",
    ):
        assert step in text
    assert f"http://127.0.0.1:{running.web}" in text
    rows = json.loads((running.var / "demo_sign_ins.json").read_text())
    assert {"dealer", "desk_head", "compliance", "risk", "operations", "auditor", "administrator"} <= {
        row["persona"] for row in rows
    }
    assert all(row["token"] in text for row in rows)
    assert (running.var / "demo_sign_ins.json").stat().st_mode & 0o777 == 0o600
    assert "Not well" not in text


def test_a_start_can_be_given_up_half_way(tmp_path: Path) -> None:
    house = Running(tmp_path)
    server = wait_until(lambda: process_of(house.var, "postgres").get("pid"), 30)

    house.process.send_signal(signal.SIGINT)

    assert house.process.wait(40) == 0
    assert house.output.read_text().endswith("The house is closed.\n")
    assert not processes.is_alive(server)
    assert not (house.var / "run" / "house.json").exists()


def test_evidence_of_a_running_house_is_sealed_exported_and_verified(running: Running, tmp_path: Path) -> None:
    made = running.verb("evidence", str(tmp_path / "out"))
    assert made.returncode == 0, made.stderr
    assert running.verb("evidence", str(tmp_path / "out")).returncode == 2
    assert running.verb("evidence", str(tmp_path / "one"), "--order", "O-0000-000000").returncode == 2

    verdict = running.verb(
        "verify", str(tmp_path / "out"), "--json", "--anchors", str(running.var / "anchors/seals.jsonl")
    )
    assert verdict.returncode == 0, verdict.stdout
    said = json.loads(verdict.stdout)
    assert said["holds"]
    assert said["figures"]["events"] > 0
    assert (running.var / "keys" / "seal.pem").stat().st_mode & 0o777 == 0o600

    rotated = running.verb("seal-key", "rotate")
    assert (rotated.returncode, len(rotated.stdout.splitlines())) == (0, 2), rotated.stderr
    assert rotated.stdout.split()[0] in said["key_ids"]
    assert "PRIVATE" not in rotated.stdout + (running.var / "log" / "relay.log").read_text()


def test_status_has_the_published_shape(running: Running) -> None:
    answer = running.status()

    assert set(answer) == {
        "build",
        "mode",
        "trading",
        "web_url",
        "processes",
        "sessions",
        "queues",
        "fingerprints",
        "demo_sign_ins",
    }
    assert len({row["fingerprint"] for row in answer["fingerprints"]}) == 1
    assert answer["trading"] is True
    assert answer["web_url"] == f"http://127.0.0.1:{running.web}"
    assert {row["name"] for row in answer["processes"]} == ROLES | GATEWAYS
    assert {row["state"] for row in answer["processes"]} == {"running"}
    for row in answer["processes"]:
        assert {"name", "pid", "state", "restarts", "since"} <= set(row)
    assert {row["name"] for row in answer["sessions"]} == {"SIM1-A", "SIM2-A"}
    assert all({"name", "state", "venue"} <= set(row) for row in answer["sessions"])
    assert all(set(row) == {"name", "depth", "oldest_s"} for row in answer["queues"])
    assert {"wire", "inbox", "approvals", "exceptions"} <= {row["name"] for row in answer["queues"]}
    assert all(set(row) == {"persona", "username", "password", "token"} for row in answer["demo_sign_ins"])


def test_a_second_up_is_told_where_the_first_one_is(running: Running) -> None:
    done = running.verb("up")

    assert done.returncode == 3
    assert f"already runs (process {running.process.pid}, http://127.0.0.1:{running.web})" in done.stderr
    assert running.process.poll() is None


def test_trading_is_switched_beside_a_running_house(running: Running) -> None:
    assert running.verb("trading", "off", "--reason", "test").stdout == "Trading is off.\n"
    assert running.status()["trading"] is False
    assert running.verb("trading", "on", "--reason", "test").stdout == "Trading is on.\n"


def test_what_does_not_hold_is_shown_and_keeps_trading_off(running: Running) -> None:
    """A penny more than was ever booked, written past every door by the owner of the table."""
    owner = state_of(running.var)["addresses"]["owner"]
    statement = "UPDATE accounts_cashbalance SET settled = settled {} 0.01 WHERE id = (SELECT min(id) FROM accounts_cashbalance)"
    whole = json.loads(running.verb("fsck", "--json").stdout)
    assert (whole["holds"], [check["code"] for check in whole["checks"] if not check["holds"]]) == (True, [])
    assert set(whole) == {"at", "build", "holds", "checks"}
    assert all(
        set(check) == {"code", "invariant", "level", "holds", "found", "examples", "seconds"}
        for check in whole["checks"]
    )
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(statement.format("+"))
        try:
            one = running.verb("fsck", "--check", "CASH_DIFFERS", "--check", "STOCK_DIFFERS", "--json")
            deep, shallow = running.verb("fsck", "--level", "3"), running.verb("fsck", "--level", "2")
            refused = running.verb("trading", "on", "--reason", "test")
        finally:
            connection.execute(statement.format("-"))

    found = {check["code"]: (check["holds"], check["found"]) for check in json.loads(one.stdout)["checks"]}
    assert (one.returncode, found) == (1, {"CASH_DIFFERS": (False, 1), "STOCK_DIFFERS": (True, 0)})
    assert (deep.returncode, shallow.returncode, refused.returncode) == (1, 0, 1)
    assert "CASH_DIFFERS" in deep.stdout
    assert refused.stdout.endswith("Trading is not switched on: invariants do not hold, see above.\n")
    assert running.verb("trading", "on", "--reason", "test").stdout == "Trading is on.\n"


@pytest.mark.parametrize("name", ["web", "postgres", "valkey", "relay"])
def test_whatever_is_killed_comes_back(running: Running, name: str) -> None:
    before = process_of(running.var, name)

    os.kill(before["pid"], signal.SIGKILL)

    again = wait_until(
        lambda: (
            (row := process_of(running.var, name))["restarts"] > before["restarts"]
            and row["state"] == "running"
            and row
        )
    )
    assert again["pid"] != before["pid"]
    wait_until(lambda: _quiet(running.page) == 200, 20)


def _quiet(page: Any) -> int:
    try:
        return int(page())
    except OSError:
        return 0


def test_kill_9_of_the_supervisor_then_a_second_start_then_a_clean_stop(running: Running) -> None:
    names = {row["name"]: row["pid"] for row in state_of(running.var)["processes"] if row["pid"]}
    running.process.kill()
    running.process.wait()

    running.process = running.start()
    text = running.wait_open()
    assert [name for name, pid in names.items() if processes.is_alive(pid)] == []
    assert "demo desk" not in text
    assert "not proven" not in text
    seconds = float(text.split("The house is open after ")[1].split(" ")[0])
    assert seconds < 15 * crowding()
    assert running.page() == 200
    now = {row["name"]: row["pid"] for row in state_of(running.var)["processes"]}

    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(40) == 0
    assert running.output.read_text().endswith("The house is closed.\n")
    assert [name for name, pid in now.items() if processes.is_alive(pid)] == []
    assert environment.is_free(running.web)
    assert not (running.var / "postgres" / "postmaster.pid").exists()
    assert list(socket_directory(House(root=ROOT, var=running.var), "pg").iterdir()) == []
