"""``./oms test``: pytest against throw-away servers; pytest's closing line is the last one printed.

The whole suite runs on three workers, each with a database of its own and whole files at a time, all journeys on one of them: a
third of the time a test waits for a process, a clock or a line, so three keep two cores at work. What names a path, or says itself
how many workers it wants, runs as it says.

Tests marked ``ui`` need a browser. Without one they are skipped, counted and named; under ``CI=true`` that is a
failure.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from oms_project.house import kept_tables
from oms_project.house.failures import BAD_INPUT, CANNOT_RUN, FINDING, HOLDS
from oms_project.house.kept_tables import Made
from oms_project.house.paths import ROOT
from oms_project.house.throwaway import TEMPLATE, Servers, servers

# pytest: 0 passed, 1 failed, 2 interrupted, 3 internal error, 4 usage, 5 nothing collected
WORKERS = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder", "-p", "oms_project.house.pytest_spread")
READING_SECONDS = 300
EXIT_CODES = {0: HOLDS, 1: FINDING, 2: CANNOT_RUN, 3: CANNOT_RUN, 4: BAD_INPUT, 5: BAD_INPUT}


def parallel(options: Sequence[str]) -> tuple[str, ...]:
    """How many workers, for a run that leaves it to us: the whole suite, not a part of it and not under a debugger."""
    alone = any(
        one.startswith(("-n", "--numprocesses", "--pdb")) or Path(one.partition("::")[0]).exists() for one in options
    )
    return () if alone else WORKERS


def run(arguments: Namespace) -> int:
    """The verb: pytest's answer in the house's exit codes."""
    workers = parallel(arguments.options)
    with _servers(whole=bool(workers)) as found:
        command = [sys.executable, "-m", "pytest", "-p", "oms_project.house.pytest_browser"]
        command += [*workers, *arguments.options]
        process = subprocess.Popen(command, cwd=ROOT, env={**found.environment, "TEST_TABLES": TEMPLATE})
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            code = process.wait(30)
    return EXIT_CODES.get(code, CANNOT_RUN)


@contextmanager
def _read_ahead(*, wanted: bool) -> Iterator[None]:
    """While every table is made, which a clean clone does first, read all tests once on the other core.

    Then what Python and pytest compile of ten thousand tests is there for every worker. What goes wrong here the workers will tell.
    """
    if not wanted or kept_tables.is_kept(Made.TABLES):
        yield
        return
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OMS_")}
    nowhere = {"OMS_MODE": "test", "OMS_DATABASE_URL": "postgresql:///nowhere?host=/nonexistent"}
    command = [sys.executable, "-m", "pytest", "--collect-only", "-qq", "-p", "no:cacheprovider", "tests"]
    out = subprocess.DEVNULL
    reading = subprocess.Popen(command, cwd=ROOT, env={**kept, **nowhere}, stdout=out, stderr=out)
    try:
        yield
        with contextlib.suppress(subprocess.TimeoutExpired):
            reading.wait(READING_SECONDS)
    finally:
        reading.kill()
        reading.wait()


@contextmanager
def _servers(*, whole: bool) -> Iterator[Servers]:
    """With every table made, and every test read once."""
    with ExitStack() as stack:
        with _read_ahead(wanted=whole):
            found = stack.enter_context(servers(made=Made.TABLES))
        yield found
