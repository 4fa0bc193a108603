"""``./oms simulate --seeds A..B``: seeded scenarios through the pure core, or through a throw-away database as well.

The pure run loads no Django; ten thousand seeds take about a minute.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from argparse import Namespace

from oms_project.house.paths import ROOT

RUNNER = "venues.simulation.runner"
DATABASE_RUNNER = "venues.simulation_database"
IN_DJANGO = f"import django, sys; django.setup(); from {DATABASE_RUNNER} import main; sys.exit(main(sys.argv[1:]))"


def run(arguments: Namespace) -> int:
    """The verb: the runner's exit code (0 all clean, 1 a seed that is not, 2 no range of seeds)."""
    words = [arguments.seeds, *(["--json"] if arguments.json else [])]
    if importlib.import_module(RUNNER).range_or_none(arguments.seeds) is None or arguments.through is None:
        os.chdir(ROOT)
        return int(importlib.import_module(RUNNER).main(words))
    from oms_project.house.throwaway import prepared  # only this way needs servers

    with prepared() as found:
        command = [sys.executable, "-c", IN_DJANGO, *words]
        return subprocess.run(command, cwd=ROOT, env=found.environment, check=False).returncode
