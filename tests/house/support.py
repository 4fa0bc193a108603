"""A small house of fake roles in a process of its own, and helpers to watch real processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from oms_project.house import processes, supervisor
from oms_project.house.paths import ROOT, House


def wait_until(condition: Callable[[], Any], seconds: float = 15.0) -> Any:
    """The first true answer of ``condition``; fails the test when there is none in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.05)
    raise AssertionError(f"not true within {seconds} s: {condition}")


def clean_environment(**variables: str) -> dict[str, str]:
    """The environment of a person at a shell: nothing of the test run's own house."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMS_", "DJANGO_"))}
    return {**kept, "PYTHONPATH": str(ROOT), **variables}


def start_fake(var: Path) -> subprocess.Popen[bytes]:
    """The fake house as a program of its own."""
    log = (var.parent / "fake.log").open("ab")
    command = [sys.executable, "-m", "tests.house.support", str(var)]
    return subprocess.Popen(command, cwd=ROOT, env=clean_environment(), stdout=log, stderr=log, start_new_session=True)


def state_of(var: Path) -> dict[str, Any]:
    """The state file of a house, or nothing."""
    try:
        return dict(json.loads((var / "run" / "house.json").read_text()))
    except (OSError, ValueError):
        return {}


def process_of(var: Path, name: str) -> dict[str, Any]:
    """One row of the state file, or nothing."""
    return next((row for row in state_of(var).get("processes", []) if row["name"] == name), {})


def write_line(path: Path, text: str) -> None:
    """Append a line other processes look for."""
    with path.open("a") as handle:
        handle.write(f"{text}\n")


def steady(var: Path, name: str) -> int:
    """Runs until told to stop, then writes its name to ``ended``."""
    stopping = []
    signal.signal(signal.SIGTERM, lambda *_: stopping.append(True))
    while not stopping:
        time.sleep(0.02)
    write_line(var / "ended", name)
    return 0


def with_worker(var: Path) -> int:
    """Like a web server: a master with a worker that would outlive it."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        write_line(var / "worker_pid", str(os.getpid()))
        time.sleep(300)
    return steady(var, "master")


def stubborn() -> int:
    """Does not listen to SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(300)
    return 0


def broken() -> int:
    """Ends at once, always."""
    raise RuntimeError("this role cannot start")


def main(var: Path) -> None:
    """Supervise the fakes until told to stop."""
    os.chdir(ROOT)
    house = House(root=ROOT, var=var)
    house.prepare()
    supervisor.STOP_SECONDS = supervisor.LEFTOVER_SECONDS = 1.0
    supervisor.clean_leftovers(house)
    watch = supervisor.Supervisor(house, {"build": "fake", "web_url": "http://127.0.0.1:1"})
    targets: dict[str, Callable[[], int]] = {
        "database": partial(steady, var, "database"),
        "steady": partial(steady, var, "steady"),
        "master": partial(with_worker, var),
        "stubborn": stubborn,
        "broken": broken,
    }
    supervisor.block_signals()
    for name, target in targets.items():
        start = partial(processes.fork, target, name=name, log=house.logs / f"{name}.log")
        watch.launch(supervisor.Child(name, start, server=name == "database"))
    watch.run()
    watch.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
