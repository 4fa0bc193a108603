"""``./oms status``: what runs, how the sessions are, what waits. Exit 0 when all is well, 1 when something is not."""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

import psycopg

from oms_project.house import environment, processes, queues, supervisor
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import FINDING, HOLDS, CannotRun
from oms_project.house.paths import House, this_house


def process_rows(state: dict[str, Any], pid: int | None) -> list[dict[str, Any]]:
    """[{name, pid, state, restarts, since}]; without a supervisor everything is stopped."""
    rows: list[dict[str, Any]] = []
    if pid is not None:
        rows.append({"name": "supervisor", "pid": pid, "state": "running", "restarts": 0, "since": state.get("since")})
    for row in state.get("processes", []):
        alive = pid is not None and row["state"] == "running" and processes.is_alive(row["pid"] or 0)
        shown = row["state"] if alive or row["state"] != "running" else "ended"
        rows.append({**row, "state": shown if pid is not None else "stopped", "pid": row["pid"] if alive else None})
    return rows


def gather(house: House) -> dict[str, Any]:
    """The whole answer as data."""
    state = supervisor.read_state(house) or {}
    pid = supervisor.running_supervisor(state)
    mode = mode_of(house)
    answer: dict[str, Any] = {
        "build": state.get("build") or environment.build_name(house.root),
        "mode": mode,
        "trading": False,
        "web_url": state.get("web_url", "") if pid is not None else "",
        "processes": process_rows(state, pid),
        "sessions": [],
        "queues": [],
        "fingerprints": [],
    }
    if mode == environment.DEMO:
        answer["demo_sign_ins"] = sign_ins(house)
    try:
        with house_addresses(house) as addresses, queues.connect(addresses.read) as connection:
            answer["trading"] = queues.read_trading(connection)
            answer["sessions"] = queues.read_sessions(connection)
            answer["queues"] = queues.read_queues(connection)
            answer["fingerprints"] = queues.read_processes(connection)
    except CannotRun as problem:
        answer["problem"] = str(problem)
    except psycopg.Error as problem:
        answer["problem"] = f"The database does not answer: {str(problem).strip().splitlines()[0]}"
    return answer


def sign_ins(house: House) -> list[dict[str, Any]]:
    """The demo's personas, or nothing before the first start."""
    try:
        found = json.loads(house.sign_ins_file.read_text())
    except (OSError, ValueError):
        return []
    return found if isinstance(found, list) else []


def is_well(answer: dict[str, Any]) -> bool:
    """True when every process runs, all are made alike and the database answers."""
    running = answer["processes"] and all(row["state"] == "running" for row in answer["processes"])
    alike = len({row["fingerprint"] for row in answer["fingerprints"]}) <= 1
    return bool(running) and alike and "problem" not in answer


def show(answer: dict[str, Any]) -> None:
    """The answer for people."""
    print(f"build {answer['build']} · {answer['mode']} · trading {'on' if answer['trading'] else 'off'}", end="")
    print(f" · {answer['web_url'] or 'not running'}")
    for row in answer["processes"]:
        again = f"restarted {row['restarts']}×" if row["restarts"] else ""
        print(f"  {row['name']:<16}{row['state']:<10}{row['pid'] or '':<9}{again}")
    show_fingerprints(answer["fingerprints"])
    for row in answer["sessions"]:
        print(f"  session {row['name']:<12}{row['state']:<12}{row['reason'] or ''}")
    for row in answer["queues"]:
        print(f"  queue {row['name']:<28}{row['depth']:>6}   oldest {row['oldest_s']:.1f} s")
    if "problem" in answer:
        print(answer["problem"])


def show_fingerprints(rows: list[dict[str, Any]]) -> None:
    """One line when all are alike, else a line a process with what it is made of."""
    prints = sorted({row["fingerprint"] for row in rows})
    if len(prints) == 1:
        worst = max((row["clock_offset_ms"] for row in rows), key=abs)
        print(f"  fingerprint {prints[0]} of {len(rows)} processes, clocks within {abs(worst)} ms of the database")
    for row in rows if len(prints) > 1 else []:
        print(f"  DIFFERS {row['name']:<16}{row['fingerprint']:<14}{row['build']}  {row['parts']}")


def run(arguments: Namespace) -> int:
    """The verb."""
    answer = gather(this_house())
    if arguments.json:
        print(json.dumps(answer))
    else:
        show(answer)
    return HOLDS if is_well(answer) else FINDING
