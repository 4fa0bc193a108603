"""``./oms simulate --seeds A..B``: seeded scenarios through the pure core, or through a throw-away database as well.

The pure run loads no Django; ten thousand seeds take about a minute. After a run through the database its invariants are
proven too, up to those of the wire.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from argparse import Namespace
from collections.abc import Sequence

from oms_project.house.failures import FINDING
from oms_project.house.paths import ROOT

RUNNER = "venues.simulation.runner"
DATABASE_RUNNER = "venues.simulation_database.runner"
IN_DJANGO = f"import django, sys; django.setup(); from {__name__} import in_django; sys.exit(in_django(sys.argv[1:]))"


def run(arguments: Namespace) -> int:
    """The verb: the runner's exit code (0 all clean, 1 a seed that is not, 2 no range of seeds)."""
    words = [arguments.seeds, *(["--json"] if arguments.json else [])]
    runner = importlib.import_module(RUNNER)
    if arguments.through is None or runner.range_or_none(arguments.seeds) is None:
        os.chdir(ROOT)
        return int(runner.main(words))
    from oms_project.house.throwaway import prepared  # only this way needs servers

    with prepared() as found:
        command = [sys.executable, "-c", IN_DJANGO, *words]
        return subprocess.run(command, cwd=ROOT, env=found.environment, check=False).returncode


def in_django(words: Sequence[str]) -> int:
    """The seeds through tables, then the invariants of what they left; a broken one is a finding on standard error."""
    from kernel.clock import utc_now
    from operations.fsck.check import Level
    from operations.fsck.prove import failing, prove
    from operations.fsck.registry import up_to
    from operations.fsck.snapshot import open_snapshot

    code = int(importlib.import_module(DATABASE_RUNNER).main(words))
    with open_snapshot(at=utc_now()) as snapshot:
        broken = failing(prove(snapshot, up_to(Level.WIRE)))
    for outcome in broken:
        print(f"oms: {outcome.check.code} does not hold: {outcome.found} found, {outcome.examples}", file=sys.stderr)
    return max(code, FINDING) if broken else code
