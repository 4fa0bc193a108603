"""The embedded PostgreSQL: created once, started, watched, stopped; Unix socket only, fsync on unless thrown away.

Roles inside: ``postgres`` (creates the others, no process of the house uses it), then those of ``database.py``.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import psycopg

from oms_project.house import processes
from oms_project.house.binaries import find_postgres, reachable
from oms_project.house.failures import CannotRun, cannot
from oms_project.house.server_user import ServerUser, choose_user

START_SECONDS = 60
STOP_SECONDS = 30
SMALL_SHARED_MEMORY = 256 * 1024 * 1024


@dataclass
class Postgres:
    """One server over one data directory. ``durable=False`` is for what is thrown away after a test."""

    data: Path
    sockets: Path
    log: Path
    port: int = 5432
    durable: bool = True
    handle: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    _programs: tuple[Path, int, ServerUser] | None = field(default=None, repr=False)

    name: ClassVar[str] = "postgres"
    stop_signal: ClassVar[int] = signal.SIGINT  # "fast": roll back what is open, write a checkpoint, leave

    def url(self, role: str, database: str) -> str:
        """The address of ``database`` for ``role``, over the socket."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.sockets))}&port={self.port}"

    def programs(self) -> tuple[Path, int, ServerUser]:
        """(directory, major version, user) this server runs with."""
        if self._programs is None:
            user = choose_user(self.data)
            directory, version = find_postgres()
            self._programs = (reachable(directory, user), version, user)
        return self._programs

    def create(self) -> bool:
        """Make the data directory when there is none; False when it was there. A half-made one is made again."""
        if (self.data / "PG_VERSION").exists() and not (self.data / "oms-incomplete").exists():
            self._check_version()
            return False
        directory, version, user = self.programs()
        if self.data.exists() and user.uid is None:
            shutil.rmtree(self.data)
        command = [str(directory / "initdb"), "-D", str(self.data), "-U", "postgres", "-E", "UTF8", "--locale=C"]
        command += ["-A", "trust", "--no-instructions"]
        if version >= 17:
            command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if not self.durable:
            command.append("--no-sync")
        done = user.run(command)
        if done.returncode != 0:
            text = done.stderr + done.stdout
            self.log.parent.mkdir(parents=True, exist_ok=True)
            self.log.write_text(text)
            why = f"PostgreSQL could not create its files; {self.log} says why."
            raise cannot(why, place=self.data.parent, text=text)
        return True

    def _check_version(self) -> None:
        stored = int((self.data / "PG_VERSION").read_text().split(".")[0])
        running = self.programs()[1]
        if stored != running:
            raise CannotRun(
                f"{self.data} was written by PostgreSQL {stored} and this one is {running}; "
                "upgrade it with pg_upgrade, or start over with ./oms reset."
            )

    def settings(self) -> dict[str, str]:
        """What differs from PostgreSQL's defaults."""
        answer = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
            "port": str(self.port),
            "max_connections": "300",
            "shared_buffers": "256MB" if self.durable else "128MB",
            "max_wal_size": "2GB" if self.durable else "1GB",
            "wal_buffers": "64MB" if self.durable else "-1",  # while a file is booked, another process writes its log
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_min_messages": "warning",
            "log_line_prefix": "%m [%p] %u ",
            "cluster_name": "oms",
        }
        with contextlib.suppress(OSError):
            if shutil.disk_usage("/dev/shm").total < SMALL_SHARED_MEMORY:  # noqa: S108 - measured, not written
                answer["dynamic_shared_memory_type"] = "mmap"
        if not self.durable:
            answer |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return answer

    def start(self) -> int:
        """Start the server without waiting for it; returns its pid."""
        directory, _, user = self.programs()
        self.clean_stale()
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        if user.uid is not None:
            os.chown(self.sockets, user.uid, user.uid)
        options = [word for name, value in self.settings().items() for word in ("-c", f"{name}={value}")]
        self.handle = processes.spawn(
            [*user.prefix, str(directory / "postgres"), "-D", str(self.data), *options],
            log=self.log,
            death_signal=self.stop_signal,
            uid=user.uid,
            gid=user.uid,
            cwd=self.sockets,
        )
        return self.handle.pid

    def wait_ready(self, seconds: float = START_SECONDS) -> None:
        """Return when the server answers; raise CannotRun when it ended or does not answer in time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self.url("postgres", "postgres"), connect_timeout=2).close()
                return
            if self.handle is not None and self.handle.poll() is not None:
                break
            time.sleep(0.05)
        tail = self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""
        raise cannot(f"PostgreSQL did not start; the end of {self.log} says why.", place=self.data.parent, text=tail)

    def stop(self) -> None:
        """Stop cleanly; harder when it takes too long."""
        if self.handle is None:
            return
        for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 10), (signal.SIGKILL, 5)):
            if self.handle.poll() is not None:
                break
            processes.send(self.handle.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.handle.wait(seconds)
        self.handle = None

    def stale_postmaster(self) -> int | None:
        """Pid of a server that still runs on our data though nobody of us started it, else None."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return None
        ours = processes.is_alive(pid) and os.fsencode(self.data) in command
        return pid if ours else None

    def clean_stale(self) -> None:
        """End a server left over from a killed start, and forget the lock files of one that is gone.

        Backends outlive a killed postmaster by moments; a new one must not touch the data before they are gone.
        """
        pid = self.stale_postmaster()
        if pid is not None:
            processes.send(pid, signal.SIGINT)
            if processes.wait_gone([pid], STOP_SECONDS):
                processes.send(pid, signal.SIGKILL)
        orphans = processes.working_in(self.data)
        for orphan in processes.wait_gone(orphans, 10):
            processes.send(orphan, signal.SIGKILL)
        if processes.wait_gone(orphans, 5):
            raise CannotRun(f"Processes {orphans} still use {self.data}; end them and start again.")
        socket = self.sockets / f".s.PGSQL.{self.port}"
        for path in (self.data / "postmaster.pid", socket, socket.with_name(f"{socket.name}.lock")):
            path.unlink(missing_ok=True)
