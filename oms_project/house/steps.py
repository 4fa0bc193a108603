"""What happens between an empty directory and an open house, each step idempotent, each in a forked child.

In a child, because the supervisor itself must never hold a database connection or a thread: it forks everything else.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from oms_project.house import database, processes
from oms_project.house.failures import cannot
from oms_project.house.paths import House

PROOF_SECONDS = 5.0  # what an opening waits for the invariants; a larger house is proven while it is open and blocked


@contextmanager
def shown(text: str) -> Iterator[None]:
    """Print a step and, when it is done, its seconds."""
    started = time.monotonic()
    print(f"  {text:<44}", end="", flush=True)
    try:
        yield
    except BaseException:
        print("failed", flush=True)
        raise
    print(f"{time.monotonic() - started:6.1f} s", flush=True)


def in_child(work: Callable[[], None], *, name: str, log: Path, url: str) -> None:
    """Run ``work`` in a forked child connected as ``url``; CannotRun names the log when it fails."""

    def run() -> None:
        connect_as(url)
        work()

    pid = processes.fork(run, name=name, log=log)
    _, status = os.waitpid(pid, 0)
    if os.waitstatus_to_exitcode(status) != 0:
        lines = log.read_text(errors="replace").strip().splitlines() if log.exists() else []
        reason = lines[-1][:300] if lines else "no output"
        why = f"The step '{name}' failed ({reason}); {log} has the whole story."
        raise cannot(why, place=log.parent, text="\n".join(lines[-50:]))


def connect_as(url: str) -> None:
    """Make Django in this process connect with ``url``. Call it before the first query."""
    from django.db import connections

    from oms_project.settings import database_from_url

    os.environ["OMS_DATABASE_URL"] = url
    connections.close_all()
    wanted = database_from_url(url)
    for key in ("NAME", "USER", "PASSWORD", "HOST", "PORT"):
        connections.settings["default"][key] = wanted[key]


def seed_demo() -> None:
    """Write the demo desk: its markets, accounts, people and sign-ins."""
    importlib.import_module("oms_project.seed.run").seed_demo()


def align_ports() -> None:
    """Point the demo's FIX sessions at the simulator's ports of this start."""
    importlib.import_module("oms_project.seed.venues").align_ports()


def block_until_proven() -> None:
    """Nothing that adds risk before the picture was compared with the tables; its process lifts this."""
    from kernel.clock import utc_now

    gate = importlib.import_module("operations.services.set_picture_gate")
    gate.set_picture_gate(equal=False, comparison=None, at=utc_now())


def begin_comparing() -> None:
    """What counterparties said last is compared; the markets concerned wait for it. Before any gateway logs on."""
    from kernel.clock import utc_now

    importlib.import_module("reconciliation.services.begin_at_start").begin_at_start(at=utc_now())


def needs_seed(house: House, url: str) -> bool:
    """True until a demo seed has ended: its last act is the file of sign-ins."""
    return not house.sign_ins_file.exists() or database.ask(url, "SELECT count(*) FROM authorisation_user") == [(0,)]


def prove_invariants(findings: Path) -> None:
    """Carry out the checks a start waits for; what fails, or takes too long, blocks what adds risk.

    Each is a line of ``findings``; an empty file is a house that may trade.
    """
    service = importlib.import_module("operations.services.check_invariants")
    registry = importlib.import_module("operations.fsck.registry")
    clock = importlib.import_module("kernel.clock")
    checks = registry.before_opening()
    outcomes = service.check_invariants(at=clock.utc_now(), checks=checks, gate=True, within_s=PROOF_SECONDS)
    lines = [f"{one.check.code} ({one.found} found): {one.check.sentence}" for one in outcomes if not one.holds]
    if len(outcomes) < len(checks):
        lines.append(f"{len(checks) - len(outcomes)} checks take longer; the worker carries them out now.")
    findings.write_text("".join(f"{line}\n" for line in lines))


def collect_static() -> None:
    """Copy, name by content and compress what browsers load."""
    from django.core.management import call_command

    call_command("collectstatic", interactive=False, verbosity=0, clear=True)


def static_digest(house: House) -> str:
    """Changes whenever a file browsers load, or the code that packs them, changes."""
    seen = hashlib.sha256((house.root / "requirements" / "base.txt").read_bytes())
    for path in sorted((house.root / "static").rglob("*")):
        if path.is_file():
            found = path.stat()
            seen.update(f"{path.relative_to(house.root)} {found.st_size} {found.st_mtime_ns}\n".encode())
    return seen.hexdigest()


def static_stamp(house: House) -> Path:
    """Where the digest of what was last collected is kept."""
    return house.run / "static.sha256"


def static_is_current(house: House) -> bool:
    """True when what is served was made from the files that are there."""
    stamp = static_stamp(house)
    return (house.var / "static").is_dir() and stamp.exists() and stamp.read_text() == static_digest(house)


def import_application() -> None:
    """Load Django and what every role needs, once, so that a forked role starts in milliseconds."""
    import gc

    import django

    django.setup()
    for module in ("django.core.management", "oms_project.urls", "celery.bin.worker"):
        importlib.import_module(module)
    importlib.import_module("gunicorn.workers.gthread")
    importlib.import_module("uvicorn")
    _assert_single_threaded()
    gc.collect()
    gc.freeze()


def _assert_single_threaded() -> None:
    import threading

    others = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    if others:
        print(f"oms: an imported module started threads {others}; forking is not safe with them.", file=sys.stderr)
