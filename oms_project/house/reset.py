"""``./oms reset``: stops the house and forgets its data. What was fetched to install it stays."""

from __future__ import annotations

import os
import shutil
import signal
import sys
from argparse import Namespace
from pathlib import Path

from oms_project.house import processes, supervisor
from oms_project.house.failures import HOLDS, BadInput, CannotRun
from oms_project.house.paths import House, socket_directory, this_house

KEPT = {"tools"}


def confirmed(house: House) -> bool:
    """Ask a person; without one, refuse."""
    if not sys.stdin.isatty():
        raise BadInput(f"reset removes all data under {house.var}; say ./oms reset --yes to do it.")
    return input(f"Stop the house and remove all data under {house.var}? Type yes: ").strip().lower() == "yes"


def stop(house: House) -> None:
    """Stop a running house as Ctrl-C would, then whatever a killed one left."""
    pid = supervisor.running_supervisor(supervisor.read_state(house))
    if pid is not None:
        processes.send(pid, signal.SIGTERM)
        if processes.wait_gone([pid], 60):
            raise CannotRun(f"The house (process {pid}) does not stop; end it with kill -9 {pid} and reset again.")
    supervisor.clean_leftovers(house)


def remove(path: Path) -> None:
    """Remove a file or a tree."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def run(arguments: Namespace) -> int:
    """The verb."""
    house = this_house()
    if not house.var.exists():
        print("There is nothing to forget.")
        return HOLDS
    if not house.marker.exists():
        raise CannotRun(f"{house.var} holds files the house did not make; remove what you do not need by hand.")
    if not arguments.yes and not confirmed(house):
        print("Nothing was changed.")
        return HOLDS
    stop(house)
    for path in sorted(house.var.iterdir()):
        if path.name not in KEPT:
            remove(path)
    for server in ("pg", "vk"):
        remove(socket_directory(house, server))
    if os.environ.get("OMS_DATABASE_URL"):
        print("The database at OMS_DATABASE_URL was not touched.")
    print("The house is empty; ./oms up opens a new one.")
    return HOLDS
