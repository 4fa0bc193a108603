"""The embedded Redis-compatible server: one Unix socket, nothing on disk. Losing all of it loses nothing."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import redis

from oms_project.house import processes
from oms_project.house.binaries import find_valkey
from oms_project.house.failures import CannotRun


@dataclass
class Valkey:
    """One server at ``sockets/valkey.sock``."""

    sockets: Path
    log: Path
    handle: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    name: ClassVar[str] = "valkey"
    stop_signal: ClassVar[int] = signal.SIGTERM

    @property
    def socket(self) -> Path:
        return self.sockets / "valkey.sock"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> int:
        """Start the server without waiting for it; returns its pid."""
        self.socket.unlink(missing_ok=True)
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "daemonize": "no",
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "dir": str(self.sockets),
        }
        command = [str(find_valkey()), *(word for name, value in options.items() for word in (f"--{name}", value))]
        self.handle = processes.spawn(command, log=self.log, cwd=self.sockets)
        return self.handle.pid

    def wait_ready(self, seconds: float = 15) -> None:
        """Return when the server answers; raise CannotRun otherwise."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(redis.RedisError, OSError), redis.Redis.from_url(self.url) as client:
                client.ping()
                return
            if self.handle is not None and self.handle.poll() is not None:
                break
            time.sleep(0.03)
        raise CannotRun(f"The Redis-compatible server did not start; the end of {self.log} says why.")

    def stop(self) -> None:
        """Stop; there is nothing to save."""
        if self.handle is None:
            return
        processes.send(self.handle.pid, signal.SIGTERM)
        try:
            self.handle.wait(5)
        except subprocess.TimeoutExpired:
            processes.send(self.handle.pid, signal.SIGKILL)
            self.handle.wait(5)
        self.handle = None
        self.socket.unlink(missing_ok=True)
