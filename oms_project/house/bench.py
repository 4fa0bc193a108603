"""``./oms bench``: each benchmark in a throw-away, durable house; standard output is one JSON line for each.

A benchmark is ``benchmarks/<name>.py`` with ``main(full) -> dict``: it states its data, measures its floor in the same
run, verifies its result. Missing a speed goal is not an error; a wrong result is.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

from oms_project.house.failures import BAD_INPUT, CANNOT_RUN, FINDING, HOLDS, BadInput, CannotRun
from oms_project.house.paths import ROOT
from oms_project.house.throwaway import prepared

LIBRARY = {"__init__", "support", "common"}


def known() -> list[str]:
    """Every benchmark there is."""
    found = (path for path in sorted((ROOT / "benchmarks").glob("*.py")) if not path.name.startswith("_"))
    return [path.stem for path in found if path.stem not in LIBRARY and "\ndef main(" in path.read_text()]


def readable(line: str) -> str:
    """One result for people."""
    result = json.loads(line)
    figures = (f"{name} {value:.4g}" for name, value in result.items() if isinstance(value, int | float))
    return f"{result.get('name', '?'):<14} {'  '.join(figures)}"


def run_one(name: str, full: bool) -> tuple[int, str]:
    """(exit code, JSON line) of one benchmark, run by a process of its own in a house of its own."""
    with prepared(durable=True) as found:
        environment = {**found.environment, "OMS_DATABASE_URL": found.addresses.owner}
        command = [sys.executable, "-m", "oms_project.house.bench", name, *(["--full"] if full else [])]
        done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout.strip()


def run(arguments: Namespace) -> int:
    """The verb: the worst exit code of the benchmarks that ran."""
    if arguments.name and arguments.name not in known():
        raise BadInput(f"There is no benchmark {arguments.name}; there are: {', '.join(known()) or 'none'}.")
    worst = HOLDS
    for name in [arguments.name] if arguments.name else known():
        code, line = run_one(name, arguments.full)
        if code in (HOLDS, FINDING) and line:
            print(line if arguments.json else readable(line), flush=True)
        if code not in (HOLDS, FINDING, BAD_INPUT, CANNOT_RUN):
            raise CannotRun(f"The benchmark {name} ended with {code}; its output is above.")
        worst = max(worst, code)
    return worst


def inside(name: str, full: bool) -> int:
    """Run one benchmark here; whatever it prints goes to standard error, its answer to standard output."""
    answer_to = os.dup(1)
    os.dup2(2, 1)
    os.chdir(Path(ROOT))
    import django

    django.setup()
    try:
        result = importlib.import_module(f"benchmarks.{name}").main(full)
    except AssertionError as wrong:
        print(f"oms: {name} measured a wrong result: {wrong}", file=sys.stderr)
        return FINDING
    with os.fdopen(answer_to, "w") as output:
        output.write(json.dumps({"name": name, **result}) + "\n")
    return HOLDS


if __name__ == "__main__":
    sys.exit(inside(sys.argv[1], "--full" in sys.argv[2:]))
