"""``./oms check``: the whole gate that needs no database. Every check runs, whatever the others say."""

from __future__ import annotations

import importlib.util
import os
import secrets
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from oms_project.house.failures import CANNOT_RUN, FINDING, HOLDS, CannotRun
from oms_project.house.paths import ROOT, write_private

PARALLEL = 2


@dataclass(frozen=True, slots=True)
class Check:
    """One command; exit 0 means it holds. ``variables`` are added to its environment."""

    name: str
    command: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a check ended."""

    check: Check
    code: int
    seconds: float
    output: str


def tool(name: str) -> str:
    """A program of the environment."""
    path = Path(sys.executable).parent / name
    if not path.exists():
        raise CannotRun(f"{name} is not installed; run ./oms check, which installs requirements/dev.txt.")
    return str(path)


def checks(secret: Path) -> list[Check]:
    """Slowest first, so that two at a time end together."""
    python = sys.executable
    live = {"OMS_MODE": "live", "OMS_SECRET_KEY_FILE": str(secret), "OMS_ALLOWED_HOSTS": "desk.example"}
    test = {"OMS_MODE": "test", "OMS_DATABASE_URL": "postgresql:///nowhere?host=/nonexistent"}
    found = [
        Check("types (mypy --strict)", (tool("mypy"), "."), test),
        Check("imports (floors and purity)", (tool("lint-imports"), "--no-cache")),
        Check("style (ruff check)", (tool("ruff"), "check", ".")),
        Check("layout (ruff format)", (tool("ruff"), "format", "--check", ".")),
        Check(
            "migrations match the models",
            (python, "-W", "ignore", "manage.py", "makemigrations", "--check", "--dry-run"),
            test,
        ),
        Check(
            "deployment settings (live)",
            (python, "manage.py", "check", "--deploy", "--fail-level", "WARNING"),
            live | {"OMS_DATABASE_URL": test["OMS_DATABASE_URL"]},
        ),
    ]
    if importlib.util.find_spec("oms_project.house.docs"):
        found.append(Check("generated pages are fresh", (python, "-m", "oms_project.house.docs", "--check"), test))
    return found


def run_one(check: Check) -> Outcome:
    """Run a check to its end."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMS_")}
    started = time.monotonic()
    done = subprocess.run(
        check.command,
        cwd=ROOT,
        env={**kept, "PYTHONPATH": str(ROOT), **check.variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    outcome = Outcome(check, done.returncode, time.monotonic() - started, done.stdout)
    print(f"{'ok  ' if outcome.code == 0 else 'FAIL'} {check.name:<32}{outcome.seconds:6.1f} s", flush=True)
    return outcome


def run(arguments: Namespace) -> int:
    """The verb: 0 when everything holds, 1 with the output of what does not."""
    with tempfile.TemporaryDirectory(prefix="oms-check-") as directory:
        secret = Path(directory) / "secret_key"
        write_private(secret, secrets.token_urlsafe(64))
        with ThreadPoolExecutor(PARALLEL) as pool:
            outcomes = list(pool.map(run_one, checks(secret)))
    failed = [outcome for outcome in outcomes if outcome.code != 0]
    for outcome in failed:
        print(f"\n--- {outcome.check.name}: {' '.join(map(str, outcome.check.command))}\n{outcome.output.rstrip()}")
    if any(outcome.code < 0 for outcome in failed):
        return CANNOT_RUN
    print(f"\n{len(outcomes) - len(failed)} of {len(outcomes)} checks hold.")
    return FINDING if failed else HOLDS
