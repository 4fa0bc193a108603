"""Simulator, gateway, relay and inbox in processes of their own, as the house runs them, for benchmarks of the whole way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from refdata.models import Market
from venues.models import FixSession, Venue

PATIENCE_S = 30
ROLE = """
import pathlib, signal, sys, threading
import django
django.setup()
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
port, store = int(sys.argv[1]), pathlib.Path(sys.argv[2])
{body}
"""
BODIES = {
    "simulator": "from venues.simulator import run; run(stop, fix_port=port, directory=store / 'sim', house=False)",
    "gateway": "from venues.gateway import run; run(stop, group='SIM1', store=store / 'fix')",
    "relay and inbox": (
        "from venues.inbox import run; from oms_project.relay import run as relay\n"
        "other = threading.Thread(target=run, args=(stop,)); other.start(); relay(stop); other.join()"
    ),
}


@contextmanager
def running(market: Market, directory: Path) -> Iterator[dict[str, int]]:
    """One session of the simulator for the market, logged on, and all roles (their process ids) running until the end."""
    port = _free_ports()
    venue = Venue.objects.create(code="SIM1", name="Simulator", adapter="fix44")
    venue.markets.add(market)
    FixSession.objects.create(
        name="SIM1-A", group="SIM1", venue=venue, sender_comp_id="OMS", target_comp_id="SIM1", port=port
    )
    roles = [_start(body, port, directory) for body in BODIES.values()]
    try:
        wait(lambda: FixSession.objects.get().state == "logged_on", "the session")
        yield {name: role.pid for name, role in zip(BODIES, roles, strict=True)}
    finally:
        for role in roles:
            role.send_signal(signal.SIGTERM)
        for role in roles:
            role.wait(timeout=30)


def _start(body: str, port: int, directory: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "oms_project.settings"}
    return subprocess.Popen([sys.executable, "-c", ROLE.format(body=body), str(port), str(directory)], env=environment)


def _free_ports() -> int:
    """A port that is free together with the one after it."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


def cpu_ms(pid: int) -> float:
    """Processor time a process has used, in milliseconds: what load of others does not change. Linux only."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def wait(condition: Callable[[], bool], what: str, *, seconds: float = PATIENCE_S) -> None:
    """Poll every 20 ms; AssertionError when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds} s"
        time.sleep(0.02)
