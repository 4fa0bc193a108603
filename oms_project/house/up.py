"""``./oms up``: from whatever is there to an open house, then supervision until Ctrl-C.

Order: lock, clean what a killed start left, ports, servers, tables, grants, demo data, invariants, static files, roles, doors open.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import json
import os
import socket
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from oms_project.house import database, environment, fingerprint, migrating, processes, roles, steps, supervisor
from oms_project.house.database import Addresses
from oms_project.house.failures import HOLDS, CannotRun, check_disk
from oms_project.house.paths import House, socket_directory, this_house
from oms_project.house.postgres import Postgres
from oms_project.house.valkey import Valkey

DOORS_SECONDS = 40
PICTURE_BLOCK = "SELECT id FROM risk_block WHERE source = 'picture' AND lifted_at IS NULL"
GROUPS = 'SELECT DISTINCT "group" FROM venues_fixsession WHERE enabled ORDER BY 1'


@dataclass
class Opening:
    """What ``up`` was asked for."""

    house: House
    mode: str
    flow: bool
    started: float

    @property
    def web_url(self) -> str:
        return f"http://127.0.0.1:{environment.port_of('OMS_WEB_PORT')}"


def lock(house: House) -> Any:
    """Hold the house for as long as this process lives; a second ``up`` is told where the first one is."""
    handle = house.lock_file.open("a")
    try:
        fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as problem:
        state = supervisor.read_state(house) or {}
        raise CannotRun(
            f"This house already runs (process {state.get('supervisor', {}).get('pid', '?')}, "
            f"{state.get('web_url', 'starting')}); stop it with Ctrl-C there, or set OMS_VAR_DIR for a second one."
        ) from problem
    return handle


def start_servers(opening: Opening, watch: supervisor.Supervisor) -> tuple[Addresses, str]:
    """Start the embedded servers, or check the real ones; returns the addresses and a notice to print (or '')."""
    house = opening.house
    valkey = None
    if not os.environ.get("OMS_REDIS_URL"):
        valkey = house_valkey(house)
        watch.launch(supervisor.Child("valkey", valkey.start, valkey.stop_signal, server=True))
        os.environ["OMS_REDIS_URL"] = valkey.url
    if opening.mode == environment.DEMO and not os.environ.get("OMS_PRICE_FEEDS"):
        os.environ["OMS_PRICE_FEEDS"] = house_price_feeds(house)
    given = environment.database_url(opening.mode)
    if given:
        addresses, notice = database.use_external(house, given)
    else:
        postgres = house_postgres(house)
        postgres.create()
        watch.launch(supervisor.Child("postgres", postgres.start, postgres.stop_signal, server=True))
        postgres.wait_ready()
        database.create_embedded(postgres.url("postgres", "postgres"))
        addresses, notice = embedded_addresses(postgres), ""
    if valkey is not None:
        valkey.wait_ready()
    return addresses, notice


def house_postgres(house: House) -> Postgres:
    """The embedded server of a house."""
    port = int(os.environ.get("OMS_PG_PORT") or 5432)
    return Postgres(house.postgres_data, socket_directory(house, "pg"), house.logs / "postgres.log", port=port)


def house_price_feeds(house: House) -> str:
    """Where the simulator's venues tell their prices."""
    place = socket_directory(house, "px")
    return ",".join(f"{venue}=unix:{place / venue}" for venue in ("SIM1", "SIM2"))


def house_valkey(house: House) -> Valkey:
    """The embedded Redis-compatible server of a house."""
    return Valkey(socket_directory(house, "vk"), house.logs / "valkey.log")


def embedded_addresses(postgres: Postgres) -> Addresses:
    """One address per role of the embedded server."""
    names = (database.OWNER, database.APP, database.GATEWAY, database.READ)
    return Addresses(*(postgres.url(role, database.DATABASE) for role in names))


def fill(opening: Opening, addresses: Addresses) -> None:
    """Tables, grants, demo data, static files."""
    house, logs = opening.house, opening.house.logs
    with steps.shown("database tables and grants"):
        database.mark_mode(addresses.owner, opening.mode)
        steps.in_child(migrating.migrate, name="migrate", log=logs / "migrate.log", url=addresses.owner)
        if addresses.owner != addresses.app:
            database.apply_grants(addresses.owner)
    if opening.mode == environment.DEMO and steps.needs_seed(house, addresses.read):
        with steps.shown("demo desk: markets, accounts, people"):
            steps.in_child(steps.seed_demo, name="seed", log=logs / "seed.log", url=addresses.owner)
    elif opening.mode == environment.DEMO:
        steps.in_child(steps.align_ports, name="ports", log=logs / "seed.log", url=addresses.app)
    if not steps.static_is_current(house):
        with steps.shown("static files"):
            steps.in_child(steps.collect_static, name="static", log=logs / "static.log", url=addresses.read)
            steps.static_stamp(house).write_text(steps.static_digest(house))
    # Until the picture process has compared itself with the tables, what adds risk stays blocked.
    steps.in_child(steps.block_until_proven, name="gate", log=logs / "gate.log", url=addresses.app)
    steps.in_child(steps.begin_comparing, name="start", log=logs / "gate.log", url=addresses.app)


def prove(opening: Opening, addresses: Addresses) -> None:
    """Before anything can be sent: the invariants of levels 0 to 3. What does not hold blocks what adds risk."""
    house = opening.house
    findings = house.run / "fsck_findings"
    with steps.shown("invariants, levels 0 to 3"):
        work = partial(steps.prove_invariants, findings)
        steps.in_child(work, name="fsck", log=house.logs / "fsck.log", url=addresses.app)
    for line in findings.read_text().splitlines():
        print(f"  not proven: {line}")
    if findings.stat().st_size:
        print("  What adds risk is blocked until it holds; ./oms fsck says where and what to do.")


def chosen_roles(opening: Opening, groups: list[str]) -> list[roles.Role]:
    """Every role of this mode; one gateway for each session group that is enabled."""
    wanted = [role for role in roles.FIXED if opening.mode == environment.DEMO or not role.demo]
    wanted = [role for role in wanted if opening.flow or role.name != "flow"]
    gateways = [roles.gateway(group) for group in groups]
    consumers = [roles.inbox(number) for number in range(2, roles.inbox_consumers() + 1)]
    late = [role for role in wanted if role.name == "flow"]
    return [*(role for role in wanted if role not in late), *consumers, *gateways, *late]


def start_role(role: roles.Role, url: str, log: Path) -> int:
    """Fork one role, connected as the database role it is entitled to."""

    def serve() -> int | None:
        steps.connect_as(url)
        return role.serve()

    fingerprint.own()  # before the fork: a child says what it runs, not what lies on the disk by then
    return processes.fork(serve, name=role.name, log=log)


def answers(port: int, path: str = "/sign-in") -> bool:
    """True when a web server on ``port`` gives a page that is not an error of ours."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": f"127.0.0.1:{port}"})
        return connection.getresponse().status < 500
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def listens(port: int) -> bool:
    """True when something accepts connections on ``port``."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for_doors(watch: supervisor.Supervisor, read_url: str) -> list[str]:
    """Wait until pages and stream answer and the picture is proven; returns the names of what stayed shut."""
    web, stream = environment.port_of("OMS_WEB_PORT"), environment.port_of("OMS_STREAM_PORT")
    shut: dict[str, Callable[[], bool]] = {
        "web": lambda: answers(web),
        "stream": lambda: listens(stream),
        "picture": lambda: not database.ask(read_url, PICTURE_BLOCK),
    }
    deadline = time.monotonic() + DOORS_SECONDS
    while shut and time.monotonic() < deadline:
        watch.tick()
        for name, is_open in list(shut.items()):
            if is_open():
                del shut[name]
        if any(child.restarts >= 4 for child in watch.children if child.name in shut):
            break
        time.sleep(0.1)
    return sorted(shut)


def leave_sockets(house: House) -> None:
    """Remove the empty socket directories of a house that is closed."""
    for server in ("pg", "vk"):
        with contextlib.suppress(OSError):
            socket_directory(house, server).rmdir()


def welcome(opening: Opening, watch: supervisor.Supervisor, shut: list[str]) -> None:
    """Say where the house is and who may come in."""
    house = opening.house
    print(f"\nThe house is open after {time.monotonic() - opening.started:.1f} s: {opening.web_url}")
    if opening.mode == environment.DEMO and house.sign_ins_file.exists():
        rows = json.loads(house.sign_ins_file.read_text())
        print(f"\n  {'persona':<16}{'user name':<18}{'password':<26}API token")
        for row in rows:
            print(
                f"  {row['persona']:<16}{row['username']:<18}{row.get('password') or '-':<26}{row.get('token') or '-'}"
            )
    troubled = sorted({*shut, *(child.name for child in watch.children if child.state != "running")})
    if troubled:
        print(f"\nNot well: {', '.join(troubled)}; see {house.logs}/NAME.log.")
    print(f"\nLogs are in {house.logs}. Ctrl-C stops everything.\n", flush=True)


def open_house(opening: Opening, watch: supervisor.Supervisor) -> None:
    """Everything up to the open doors."""
    house = opening.house
    with steps.shown("PostgreSQL and Valkey"):
        addresses, notice = start_servers(opening, watch)
    if notice:
        print(f"  {notice}")
    watch.facts["addresses"] = asdict(addresses)
    watch.write_state()
    os.environ.update(environment.common(house, opening.mode), OMS_DATABASE_URL=addresses.app)
    with steps.shown("loading the application"):
        steps.import_application()
    fill(opening, addresses)
    prove(opening, addresses)
    groups = [str(row[0]) for row in database.ask(addresses.read, GROUPS)]
    with steps.shown("processes"):
        for role in chosen_roles(opening, groups):
            url, log = addresses.of(role.database_role), house.logs / f"{role.name}.log"
            watch.launch(supervisor.Child(role.name, partial(start_role, role, url, log)))
        shut = wait_for_doors(watch, addresses.read)
    welcome(opening, watch, shut)


def run(arguments: Namespace) -> int:
    """The verb."""
    if arguments.port:
        os.environ["OMS_WEB_PORT"] = str(arguments.port)
    live = arguments.no_demo or os.environ.get("OMS_MODE") == environment.LIVE
    mode = environment.LIVE if live else environment.DEMO
    house = this_house()
    os.chdir(house.root)
    house.prepare()
    opening = Opening(house, mode, flow=not arguments.no_flow, started=time.monotonic())
    held = lock(house)
    check_disk(house.var)
    environment.common(house, mode)
    environment.check_seal_key(mode)
    environment.database_url(mode)
    cleaned = supervisor.clean_leftovers(house)
    if cleaned:
        print(f"  ended {cleaned} processes of a start that was killed")
    names = [name for name in environment.PORTS if mode == environment.DEMO or name != "OMS_FIX_PORT"]
    environment.check_ports(names)
    facts = {"build": environment.build_name(house.root), "mode": mode, "web_url": opening.web_url}
    watch = supervisor.Supervisor(house, facts)
    supervisor.listen_for_stop()
    print(f"Opening the house ({mode}, build {facts['build']})")
    try:
        open_house(opening, watch)
        supervisor.block_signals()
        watch.watched = lambda sentence: print(f"  {sentence}", file=sys.stderr)
        watch.run()
        print("Closing …", flush=True)
    except KeyboardInterrupt:
        print("\nClosing …", flush=True)
    finally:
        supervisor.block_signals()
        watch.stop()
        leave_sockets(house)
        held.close()
    print("The house is closed.")
    return HOLDS
