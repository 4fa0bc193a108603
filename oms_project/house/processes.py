"""Processes as the kernel sees them: start, recognise, end. A child never outlives whoever started it.

A process is recognised by pid *and* start time, because pids come back; a zombie counts as dead, because whoever
should bury it may be slow.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_NAME = 15
HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD, signal.SIGQUIT)


def die_with_parent(number: int = signal.SIGTERM, parent: int | None = None) -> None:
    """Ask the kernel to signal this process when its parent ends; leave at once when that already happened."""
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(0)


def name_process(name: str) -> None:
    """Give the process the short name that ``ps`` and ``top`` show."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:15], 0, 0, 0)


def fresh_signals() -> None:
    """Default handlers and an empty mask, whatever the parent had."""
    for number in HANDLED:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def spawn(
    command: Sequence[str],
    *,
    log: Path,
    death_signal: int = signal.SIGTERM,
    uid: int | None = None,
    gid: int | None = None,
    environment: dict[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in its own session, its output appended to ``log``, dying with us by ``death_signal``."""
    parent = os.getpid()

    def prepare() -> None:
        fresh_signals()
        die_with_parent(death_signal, parent)

    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=prepare,
            user=uid,
            group=gid,
            extra_groups=[] if uid is not None else None,
            env=environment,
            cwd=cwd,
        )


def fork(target: Callable[[], int | None], *, name: str, log: Path) -> int:
    """Fork a child that runs ``target`` with output appended to ``log``; returns its pid. Call it single-threaded."""
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        os.setsid()
        fresh_signals()
        die_with_parent(signal.SIGTERM, parent)
        name_process(f"oms-{name}")
        redirect(log)
        code = target() or 0
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else int(leaving.code is not None)
    except BaseException:
        import traceback  # only ever needed by a child that is about to end

        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def redirect(log: Path) -> None:
    """Standard input from nowhere, both outputs appended to ``log``."""
    nowhere = os.open(os.devnull, os.O_RDONLY)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
    os.dup2(nowhere, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)


def _fields(pid: int) -> list[str]:
    """Fields of /proc/<pid>/stat from the third (state) on; empty when there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def start_time(pid: int) -> str:
    """When the kernel started ``pid``, in ticks as text; empty for none and for a zombie."""
    fields = _fields(pid)
    return "" if not fields or fields[0] in "ZX" else fields[19]


def is_alive(pid: int, started: str = "") -> bool:
    """True when ``pid`` runs and, where ``started`` is given, is still the process it was."""
    found = start_time(pid)
    return bool(found) and (not started or found == started)


def _living() -> Iterator[tuple[int, list[str]]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _fields(int(entry.name))
            if fields and fields[0] not in "ZX":
                yield int(entry.name), fields


def _works_in(pid: int, directory: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == directory
    except OSError:
        return False


def in_sessions(sessions: Iterable[int], *, cwd: Path) -> list[int]:
    """Living processes of the given sessions that work in ``cwd``: what is left of roles whose parent was killed."""
    wanted = set(sessions)
    return [pid for pid, fields in _living() if int(fields[3]) in wanted and _works_in(pid, cwd)]


def working_in(directory: Path) -> list[int]:
    """Living processes whose working directory is ``directory``: the server of a data directory and its children."""
    return [pid for pid, _ in _living() if _works_in(pid, directory)]


def send(pid: int, number: int) -> None:
    """Signal a process that may be gone already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_gone(pids: Iterable[int], seconds: float) -> list[int]:
    """Wait until none of ``pids`` runs; returns those that still do after ``seconds``."""
    deadline = time.monotonic() + seconds
    left = [pid for pid in pids if is_alive(pid)]
    while left and time.monotonic() < deadline:
        time.sleep(0.05)
        left = [pid for pid in left if is_alive(pid)]
    return left
