"""Kill -9 of every process of the house, one after another, while clients trade over HTTP and a venue fills.

Afterwards: every acknowledged order exists once, nothing was sent twice, fills are counted once and booked, every
request has its end, and what we say of each order is what the venue's own file says.
"""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from oms_project.house import processes, supervisor
from oms_project.house.paths import ROOT, House
from oms_project.house.queues import connect, read_queues
from tests.house.audit import VenueSide, audit, read_house, read_venues
from tests.house.support import process_of, state_of, wait_until
from tests.house.test_up import Running, crowding
from tests.house.traffic import Call, Client, Door, read_world

pytestmark = [pytest.mark.house, pytest.mark.fix, pytest.mark.timeout(900)]
VICTIMS = (
    *("web", "gateway-SIM1", "inbox", "relay", "simulator", "web", "worker", "valkey", "postgres"),
    *("picture", "stream", "gateway-SIM1", "web", "simulator", "inbox-2", "relay", "gateway-SIM1"),
)
CALLS_BETWEEN = 10
AT_LEAST_SECONDS = 2.0
BACK_WITHIN_S = 90.0
QUIET_SECONDS = 45
# Killed before it took the call, at work on it, or between the head of its answer and the rest of it.
CONNECTION_LOST = {
    *("ConnectionRefusedError", "ConnectionResetError", "BrokenPipeError", "TimeoutError"),
    *("RemoteDisconnected", "BadStatusLine", "IncompleteRead"),
}


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    house = Running(tmp_path)
    try:
        house.wait_open()
        yield house
    finally:
        if house.process.poll() is None:
            house.process.send_signal(signal.SIGTERM)
            house.process.wait(60)
        supervisor.clean_leftovers(House(root=ROOT, var=house.var))


def sessions_are_on(running: Running) -> bool:
    return {row["state"] for row in running.status()["sessions"]} == {"logged_on"}


def database_of(running: Running) -> str:
    """The address for reading; the house's own file knows it."""
    return str(state_of(running.var)["addresses"]["read"])


def two_clients(running: Running) -> list[Client]:
    """A dealer's and a portfolio system's, on different accounts, so that neither waits for the other."""
    tokens = {row["username"]: row["token"] for row in json.loads((running.var / "demo_sign_ins.json").read_text())}
    uk = read_world(database_of(running), mics=["XLON"], group="EQ1-UK")
    europe = read_world(database_of(running), mics=["XETR", "XPAR"], group="EQ1-EU")
    doors = [Door(running.web, tokens[name]) for name in ("a.khan", "pms-alpha")]
    return [
        Client(f"client{place}", door, world, seed=place, limit=200, pause=0.25)
        for place, (door, world) in enumerate(zip(doors, (uk, europe), strict=True))
    ]


def kill(running: Running, name: str, clients: list[Client]) -> float:
    """Kill one process, of web and worker all of theirs. Returns the seconds until it is back and clients were answered."""
    before = process_of(running.var, name)
    answered = sum(len(client.calls) for client in clients)
    started = time.monotonic()
    whole = processes.in_sessions([before["pid"]], cwd=ROOT) if name in ("web", "worker") else []
    for pid in (before["pid"], *whole):
        processes.send(pid, signal.SIGKILL)
    wait_until(
        lambda: (row := process_of(running.var, name))["restarts"] > before["restarts"] and row["state"] == "running",
        BACK_WITHIN_S,
    )
    wait_until(
        lambda: (
            sum(len(client.calls) for client in clients) >= answered + CALLS_BETWEEN
            or all(not client.is_alive() for client in clients)
        ),
        BACK_WITHIN_S,
    )
    back = time.monotonic() - started
    time.sleep(max(AT_LEAST_SECONDS - back, 0))
    return back


def is_quiet(running: Running) -> bool:
    """Nothing waits for a process any more and no request waits for its end."""
    with connect(database_of(running)) as connection:
        depths = {row["name"]: row["depth"] for row in read_queues(connection)}
        row = connection.execute(
            "SELECT count(*) AS waiting FROM orders_orderrequest "
            "WHERE state IN ('captured', 'released', 'handed_over', 'unknown')"
        ).fetchone()
    busy = [name for name, depth in depths.items() if depth and name not in ("approvals", "exceptions")]
    return not busy and row is not None and row["waiting"] == 0


def settle(running: Running) -> list[str]:
    """Wait until quiet, then until the books agree (the venue trades on); what still differs at the end."""
    deadline = time.monotonic() + QUIET_SECONDS * crowding()
    while not is_quiet(running) and time.monotonic() < deadline:
        time.sleep(0.3)
    findings: list[str] = []
    for _ in range(8):
        venues = read_venues(running.var / "simulator")
        findings = audit(read_house(database_of(running)), venues)
        if not findings:
            break
        time.sleep(1)
    return findings


def each_answer_is_true(calls: list[Call], running: Running) -> list[str]:
    """Every call that was answered with an order left exactly that order and request, once."""
    house = read_house(database_of(running))
    by_client_id = Counter(order["client_order_id"] for order in house.orders.values())
    requests = {row["id"]: row for row in house.requests}
    findings = []
    for call in calls:
        if "request_id" not in call.answer:
            continue
        found = requests.get(call.answer["request_id"])
        if found is None or found["order_id"] != call.answer["order_id"] or found["kind"] != call.kind:
            findings.append(f"{call.key} was answered with a {call.kind} that is not there: {call.answer}")
        if call.kind == "new" and by_client_id[call.key] != 1:
            findings.append(f"{call.key} exists {by_client_id[call.key]} times")
    answered = {call.answer["request_id"] for call in calls if "request_id" in call.answer}
    findings += [
        f"nobody was told of {row['cl_ord_id']}"
        for name, row in requests.items()
        if name not in answered and house.orders[row["order_id"]]["source"] != "canary"  # our own, and told to nobody
    ]
    return findings


def repeated_answers_differ(calls: list[Call], door: Door) -> list[str]:
    """The same key and body again, after everything: the same answer, and nothing done."""
    findings = []
    for call in calls:
        again = door.post(call.kind, call.path, call.key, call.body)
        same = [again.answer.get(name) == call.answer.get(name) for name in ("order_id", "request_id", "outcome")]
        if again.status != call.status or not all(same) or not again.replayed:
            findings.append(f"{call.key} again: {again.status} {again.answer}, first {call.status} {call.answer}")
    return findings


def invariants_broken(running: Running) -> list[str]:
    """What ./oms fsck finds once nothing is on its way any more, the venue's truth included."""
    broken: list[str] = []
    for _ in range(8):
        answer = json.loads(running.verb("fsck", "--json").stdout)
        broken = [f"{check['code']}: {check['examples']}" for check in answer["checks"] if not check["holds"]]
        if not broken:
            break
        time.sleep(1)
    return broken


def tell(running: Running, clients: list[Client], seconds: dict[str, float]) -> None:
    """What was done and found, for whoever reads the run."""
    calls = [call for client in clients for call in client.calls]
    house, venues = read_house(database_of(running)), read_venues(running.var / "simulator")
    print(f"\ncalls {len(calls)}: {dict(Counter(f'{call.kind} {call.status}' for call in calls))}")
    print(
        f"refusals: {dict(Counter(str(call.answer.get('fields') or call.answer.get('code')) for call in calls if call.status >= 400))}"
    )
    print(f"setbacks: {dict(sum((client.door.setbacks for client in clients), Counter()))}")
    print(f"answered on a repeat with the answer first given: {sum(call.replayed for call in calls)}")
    ends = Counter(" ".join((row["kind"], row["state"], row["outcome_code"])).strip() for row in house.requests)
    print(f"requests: {dict(ends)}")
    print(f"orders: {dict(Counter(str(row['ord_status']) for row in house.orders.values()))}")
    print(
        f"executions: {sum(map(len, house.executions.values()))} here, {sum(map(len, venues.executions.values()))} there"
    )
    print(f"back and answering after: { {name: round(value, 1) for name, value in seconds.items()} }")


def test_whatever_is_killed_nothing_is_lost_doubled_or_guessed(running: Running) -> None:
    wait_until(lambda: sessions_are_on(running), BACK_WITHIN_S)
    clients = two_clients(running)
    seconds: dict[str, float] = {}
    for client in clients:
        client.start()
    for place, victim in enumerate(VICTIMS):
        seconds[f"{place} {victim}"] = kill(running, victim, clients)
    for client in clients:
        client.finish()

    findings = settle(running)
    calls = [call for client in clients for call in client.calls]
    tell(running, clients, seconds)

    assert findings == []
    assert invariants_broken(running) == []
    replayed = json.loads(running.verb("replay", "--all", "--compare", "--json").stdout)
    assert (replayed["differences"], replayed["orders"] > 0) == ([], True)
    assert each_answer_is_true(calls, running) == []
    assert {call.status for call in calls if call.kind == "new"} <= {201, 202, 422}
    assert {call.status for call in calls} <= {200, 201, 202, 400, 409, 422}
    assert {name for client in clients for name in client.door.setbacks} <= CONNECTION_LOST | {
        "HTTP 503 DATABASE_AWAY",
        "hung up",
    }
    assert any(call.replayed for call in calls)
    for client in clients:
        given = [call for call in client.calls if "request_id" in call.answer]
        assert repeated_answers_differ(given[::4], client.door) == []
    assert audit(read_house(database_of(running)), VenueSide()) != []  # what was compared is not nothing
    wait_until(lambda: sessions_are_on(running), BACK_WITHIN_S)
    assert {row["state"] for row in running.status()["processes"]} == {"running"}
