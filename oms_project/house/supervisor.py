"""Keeps every process of the house running: starts, buries, restarts with a growing pause, stops in order.

One thread, no locks: it sleeps in ``sigtimedwait`` until a child ends, a stop is asked for, or a restart is due.
Servers start first and stop last. Every child dies with the supervisor (``PR_SET_PDEATHSIG``); what a kill -9 leaves
behind nevertheless, the next start ends by the state file (``leftovers``).
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from oms_project.house import processes
from oms_project.house.paths import House, write_private

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 15.0
HEALTHY_AFTER = 20.0
STOP_SECONDS = 12.0
LEFTOVER_SECONDS = 3.0
LOG_LIMIT = 50 * 1024 * 1024


@dataclass
class Child:
    """One supervised process. ``start`` returns a pid; ``stop_signal`` is how it is asked to leave."""

    name: str
    start: Callable[[], int]
    stop_signal: int = signal.SIGTERM
    server: bool = False
    pid: int = 0
    state: str = "stopped"
    restarts: int = 0
    since: str = ""
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = 0.0
    last_exit: str = ""

    def shown(self) -> dict[str, Any]:
        """What ``status`` shows of it."""
        return {
            "name": self.name,
            "pid": self.pid or None,
            "state": self.state,
            "restarts": self.restarts,
            "since": self.since,
            "last_exit": self.last_exit,
        }


@dataclass
class Supervisor:
    """Runs ``children`` until told to stop. ``facts`` are extra keys of the state file."""

    house: House
    facts: dict[str, Any]
    children: list[Child] = field(default_factory=list)
    watched: Callable[[str], None] = lambda sentence: None
    _checked_logs: float = 0.0

    def launch(self, child: Child) -> None:
        """Start one child and put it under supervision."""
        if child not in self.children:
            self.children.append(child)
        child.pid = child.start()
        child.state = "running"
        child.started = time.monotonic()
        child.since = datetime.now(UTC).isoformat(timespec="seconds")
        self.write_state()

    def write_state(self) -> None:
        """Tell ``status`` and a later start what runs; sessions are remembered with their start times."""
        state = {
            **self.facts,
            "supervisor": {"pid": os.getpid(), "started": processes.start_time(os.getpid())},
            "processes": [child.shown() for child in self.children],
            "started": {str(child.pid): processes.start_time(child.pid) for child in self.children if child.pid},
        }
        with contextlib.suppress(OSError):  # a full disk must not end what still runs
            write_private(self.house.state_file, json.dumps(state))

    def run(self) -> None:
        """Supervise until SIGINT, SIGTERM or SIGHUP arrives. The signals must be blocked (``block_signals``)."""
        while True:
            got = signal.sigtimedwait({*stop_signals(), signal.SIGCHLD}, self._sleep_seconds())
            if got is not None and got.si_signo != signal.SIGCHLD:
                return
            self.tick()

    def _sleep_seconds(self) -> float:
        waiting = [child.due - time.monotonic() for child in self.children if child.state == "waiting"]
        return min([5.0, *(max(seconds, 0.01) for seconds in waiting)])

    def tick(self) -> None:
        """Bury what ended, start what is due, keep logs bounded."""
        for child in self.children:
            if child.state == "running":
                self._bury(child)
        now = time.monotonic()
        for child in self.children:
            if child.state == "waiting" and child.due <= now:
                child.restarts += 1
                self.launch(child)
        if now - self._checked_logs > 30:
            self._checked_logs = now
            bound_logs(self.house.logs)

    def _bury(self, child: Child) -> None:
        code = reap(child.pid)
        if code is None:
            return
        for pid in processes.in_sessions([child.pid], cwd=self.house.root):  # workers of a killed master
            processes.send(pid, signal.SIGKILL)
        if time.monotonic() - child.started > HEALTHY_AFTER:
            child.pause = FIRST_PAUSE
        child.state, child.pid, child.last_exit = "waiting", 0, code
        child.due = time.monotonic() + child.pause
        self.watched(f"{child.name} ended ({code}); starting it again in {child.pause:.2g} s.")
        child.pause = min(child.pause * 2, LONGEST_PAUSE)
        child.since = datetime.now(UTC).isoformat(timespec="seconds")
        self.write_state()

    def stop(self) -> None:
        """Roles together, then the servers one by one, last started first; the state file goes last."""
        self._end([child for child in self.children if not child.server])
        for child in reversed([child for child in self.children if child.server]):
            self._end([child])
        self.house.state_file.unlink(missing_ok=True)

    def _end(self, children: list[Child]) -> None:
        alive = [child for child in children if child.pid]
        for child in alive:
            processes.send(child.pid, child.stop_signal)
        deadline = time.monotonic() + (STOP_SECONDS if not any(child.server for child in alive) else 30.0)
        left = alive
        while left and time.monotonic() < deadline:
            left = [child for child in left if reap(child.pid) is None]
            if left:
                time.sleep(0.05)
        for child in left:
            processes.send(child.pid, signal.SIGKILL)
        for pid in processes.in_sessions([child.pid for child in alive], cwd=self.house.root):
            processes.send(pid, signal.SIGKILL)
        for child in left:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child.pid, 0)
        for child in children:
            child.state, child.pid = "stopped", 0
        self.write_state()


def reap(pid: int) -> str | None:
    """How child ``pid`` ended, in words; None while it runs."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return "gone"
    if found == 0:
        return None
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"exit {code}"


def stop_signals() -> set[signal.Signals]:
    """What closes the house. Whoever started it with ``nohup`` wants it to outlive the terminal."""
    kept = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    return {signal.SIGINT, signal.SIGTERM} | (set() if kept else {signal.SIGHUP})


def listen_for_stop() -> None:
    """Until supervision starts a stop signal is a KeyboardInterrupt, even where the shell made us ignore SIGINT."""
    for number in stop_signals():
        signal.signal(number, signal.default_int_handler)


def block_signals() -> None:
    """From here on signals wait for ``Supervisor.run``; children get their own fresh handlers."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {*stop_signals(), signal.SIGCHLD})


def bound_logs(directory: Path) -> None:
    """Keep one older copy of each log; writers append, so cutting the file under them is safe."""
    for log in directory.glob("*.log"):
        if log.stat().st_size > LOG_LIMIT:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)


def read_state(house: House) -> dict[str, Any] | None:
    """The state file, or None where there is none to be read."""
    try:
        state = json.loads(house.state_file.read_text())
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None


def running_supervisor(state: dict[str, Any] | None) -> int | None:
    """Pid of the living supervisor of a state file, else None."""
    if not state:
        return None
    supervisor = state.get("supervisor", {})
    pid = int(supervisor.get("pid", 0))
    return pid if pid and processes.is_alive(pid, supervisor.get("started", "")) else None


def leftovers(house: House, state: dict[str, Any] | None) -> list[int]:
    """Processes of a supervisor that was killed which still run; servers included."""
    started: dict[str, str] = (state or {}).get("started", {})
    leaders = [int(pid) for pid, ticks in started.items() if processes.is_alive(int(pid), ticks)]
    return sorted({*leaders, *processes.in_sessions(map(int, started), cwd=house.root)})


def clean_leftovers(house: House) -> int:
    """End what a killed supervisor left behind; returns how many processes that were."""
    state = read_state(house)
    if running_supervisor(state) is not None:
        return 0
    found = leftovers(house, state)
    for pid in found:
        processes.send(pid, signal.SIGTERM)
    for pid in processes.wait_gone(found, LEFTOVER_SECONDS):
        processes.send(pid, signal.SIGKILL)
    processes.wait_gone(found, 5)
    house.state_file.unlink(missing_ok=True)
    return len(found)
