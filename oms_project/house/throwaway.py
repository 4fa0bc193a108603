"""Servers that exist for one test run, benchmark or scenario file and leave nothing behind.

``servers()`` gives addresses; ``prepared()`` has every table and grant, from a copy where one is kept (`kept_tables`);
``running_roles()`` runs roles of the house against them as separate programs, the way production does.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from oms_project.house import database, kept_tables, processes
from oms_project.house.database import Addresses
from oms_project.house.failures import CannotRun
from oms_project.house.kept_tables import Made
from oms_project.house.paths import ROOT, House, socket_directory
from oms_project.house.postgres import Postgres
from oms_project.house.roles import find_role
from oms_project.house.valkey import Valkey

TEMPLATE = "oms_tables"


@dataclass(frozen=True, slots=True)
class Servers:
    """A throw-away house: where it lives, how to reach it. ``superuser`` may do anything, tests need that."""

    house: House
    superuser: str
    addresses: Addresses
    redis: str
    environment: dict[str, str] = field(default_factory=dict)


def free_ports(count: int) -> int:
    """The first of ``count`` neighbouring free ports, below those the system gives to outgoing connections.

    Nobody holds them until their programs start, so runs beside one another begin to look in different places.
    """
    for first in (20_000 + secrets.randbelow(12_000) for _ in range(200)):
        held = []
        try:
            for port in range(first, first + count):
                probe = socket.socket()
                held.append(probe)
                probe.bind(("127.0.0.1", port))
        except OSError:
            continue
        else:
            return first
        finally:
            for probe in held:
                probe.close()
    raise CannotRun("No free ports were found; close some programs and start again.")


@contextmanager
def servers(*, durable: bool = False, made: Made | None = None) -> Iterator[Servers]:
    """A PostgreSQL with a database ``oms`` and its roles, and a Valkey; both gone afterwards.

    ``made``: tables that are there already, else ``oms`` is empty. ``durable`` keeps fsync on, for benchmarks that speak of
    durable writes.
    """
    with _a_house() as house:
        (house.var / "static").mkdir()  # served from the source in test mode, but looked for
        if made is not None and not kept_tables.fetch(made, house.postgres_data):
            _make(made, house)
            kept_tables.keep(made, house.postgres_data)
        with _embedded(house, durable=durable) as postgres, _valkey(house) as redis:
            names = (database.OWNER, database.APP, database.GATEWAY, database.READ)
            addresses = Addresses(*(postgres.url(role, database.DATABASE) for role in names))
            superuser = postgres.url("postgres", database.DATABASE)
            yield Servers(house, superuser, addresses, redis, throwaway_environment(house, superuser, redis))


@contextmanager
def _a_house() -> Iterator[House]:
    root = Path(tempfile.mkdtemp(prefix="oms-throwaway-"))
    root.chmod(0o755)  # PostgreSQL may run as another user; its own directory is 0700
    try:
        house = House(root=ROOT, var=root)
        house.prepare()
        yield house
    finally:
        shutil.rmtree(root, ignore_errors=True)


@contextmanager
def _embedded(house: House, *, durable: bool = False) -> Iterator[Postgres]:
    """A server with its roles, stopped cleanly at the end."""
    log = house.logs / "postgres.log"
    postgres = Postgres(house.postgres_data, socket_directory(house, "pg"), log, durable=durable)
    try:
        postgres.create()
        postgres.start()
        postgres.wait_ready()
        database.create_embedded(postgres.url("postgres", "postgres"))
        yield postgres
    finally:
        postgres.stop()
        shutil.rmtree(postgres.sockets, ignore_errors=True)


@contextmanager
def _valkey(house: House) -> Iterator[str]:
    valkey = Valkey(socket_directory(house, "vk"), house.logs / "valkey.log")
    try:
        valkey.start()
        valkey.wait_ready()
        yield valkey.url
    finally:
        valkey.stop()
        shutil.rmtree(valkey.sockets, ignore_errors=True)


def _make(made: Made, house: House) -> None:
    """Make the tables, and stop the server: then its files are whole."""
    with _embedded(house) as postgres:
        if made is Made.TABLES:
            with psycopg.connect(postgres.url("postgres", "postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
            _migrate(house, postgres.url("postgres", TEMPLATE))
        else:
            owner = postgres.url(database.OWNER, database.DATABASE)
            _migrate(house, owner)
            database.apply_grants(owner)


def _migrate(house: House, url: str) -> None:
    environment = throwaway_environment(house, url, "unix:///nowhere")
    command = [sys.executable, "-m", "oms_project.house.migrating"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines()
        raise CannotRun(f"The throw-away database could not be migrated ({lines[-1] if lines else 'no output'}).")


def throwaway_environment(house: House, database_url: str, redis_url: str) -> dict[str, str]:
    """The variables of a process that works on throw-away servers; none of the caller's ``OMS_*`` get through."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMS_")}
    first = free_ports(4)
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "oms_project.settings",
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "PYTHONPATH": str(ROOT),
        "OMS_MODE": "test",
        "OMS_VAR_DIR": str(house.var),
        "OMS_DATABASE_URL": database_url,
        "OMS_REDIS_URL": redis_url,
        "OMS_WEB_PORT": str(first),
        "OMS_STREAM_PORT": str(first + 1),
        "OMS_FIX_PORT": str(first + 2),
    }


@contextmanager
def prepared(*, durable: bool = False) -> Iterator[Servers]:
    """``servers()`` with every table and grant in place."""
    with servers(durable=durable, made=Made.READY) as found:
        yield found


@contextmanager
def running_roles(found: Servers, names: Iterable[str], **variables: str) -> Iterator[dict[str, int]]:
    """Run roles as programs of their own until the block ends; yields name -> pid. ``variables`` are added for them.

    Waits for nothing: whoever needs a door open waits for it.
    """
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name in names:
            role = find_role(name)
            if role is None:
                raise CannotRun(f"There is no role {name}.")
            environment = {**found.environment, **variables, "OMS_DATABASE_URL": found.addresses.of(role.database_role)}
            command = [sys.executable, "-m", "oms_project.house.roles", name]
            log = found.house.logs / f"{name}.log"
            started[name] = processes.spawn(command, log=log, environment=environment, cwd=ROOT)
        yield {name: process.pid for name, process in started.items()}
    finally:
        for process in started.values():
            processes.send(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 10
        for process in started.values():
            try:
                process.wait(max(deadline - time.monotonic(), 0.1))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)
        for pid in processes.in_sessions([process.pid for process in started.values()], cwd=ROOT):
            processes.send(pid, signal.SIGKILL)
