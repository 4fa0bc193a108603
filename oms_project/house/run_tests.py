"""``./oms test``: pytest against throw-away servers; pytest's closing line is the last one printed.

The whole suite runs on two workers, each with a database of its own and whole files at a time, all journeys on one of them; what
names a path, or says itself how many workers it wants, runs as it says.

Tests marked ``ui`` need a browser. Without one they are skipped, counted and named; under ``CI=true`` that is a
failure.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from oms_project.house.failures import BAD_INPUT, CANNOT_RUN, FINDING, HOLDS
from oms_project.house.kept_tables import Made
from oms_project.house.paths import ROOT
from oms_project.house.throwaway import TEMPLATE, servers

# pytest: 0 passed, 1 failed, 2 interrupted, 3 internal error, 4 usage, 5 nothing collected
WORKERS = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder", "-p", "oms_project.house.pytest_spread")
EXIT_CODES = {0: HOLDS, 1: FINDING, 2: CANNOT_RUN, 3: CANNOT_RUN, 4: BAD_INPUT, 5: BAD_INPUT}


def parallel(options: Sequence[str]) -> tuple[str, ...]:
    """How many workers, for a run that leaves it to us: the whole suite, not a part of it and not under a debugger."""
    alone = any(
        one.startswith(("-n", "--numprocesses", "--pdb")) or Path(one.partition("::")[0]).exists() for one in options
    )
    return () if alone else WORKERS


def run(arguments: Namespace) -> int:
    """The verb: pytest's answer in the house's exit codes."""
    with servers(made=Made.TABLES) as found:
        command = [sys.executable, "-m", "pytest", "-p", "oms_project.house.pytest_browser"]
        command += [*parallel(arguments.options), *arguments.options]
        process = subprocess.Popen(command, cwd=ROOT, env={**found.environment, "TEST_TABLES": TEMPLATE})
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            code = process.wait(30)
    return EXIT_CODES.get(code, CANNOT_RUN)
