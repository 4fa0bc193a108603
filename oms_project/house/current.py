"""The database of this house for verbs that run beside ``up`` or without it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager

from oms_project.house import database, environment, supervisor
from oms_project.house.database import Addresses
from oms_project.house.failures import CannotRun
from oms_project.house.paths import House
from oms_project.house.postgres import Postgres
from oms_project.house.up import embedded_addresses, house_postgres


@contextmanager
def house_addresses(house: House) -> Iterator[Addresses]:
    """Addresses of the running house's database; else of the real one; else of the embedded one, started meanwhile."""
    state = supervisor.read_state(house)
    if supervisor.running_supervisor(state) is not None and state and "addresses" in state:
        yield Addresses(**state["addresses"])
    elif (given := environment.database_url(mode_of(house))) is not None:
        yield database.use_external(house, given)[0]
    else:
        with _started(house) as postgres:
            yield embedded_addresses(postgres)


@contextmanager
def _started(house: House) -> Iterator[Postgres]:
    if not (house.postgres_data / "PG_VERSION").exists():
        raise CannotRun("This house has no data yet; ./oms up makes it.")
    with house.lock_file.open("a") as held:
        try:
            fcntl.lockf(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as problem:
            raise CannotRun("The house is just opening or closing; try again in some seconds.") from problem
        supervisor.clean_leftovers(house)
        postgres = house_postgres(house)
        postgres.create()
        postgres.start()
        try:
            postgres.wait_ready()
            yield postgres
        finally:
            postgres.stop()


def mode_of(house: House) -> str:
    """The mode of a running house, else the one asked for; demo when nothing was."""
    state = supervisor.read_state(house) or {}
    return str(state.get("mode") or os.environ.get("OMS_MODE") or environment.DEMO)
