"""``./oms scenarios FILE``: order state scenarios through the pure core, or through a throw-away database.

The pure run loads no Django; it takes a fraction of a second.
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

from oms_project.house.failures import BadInput
from oms_project.house.paths import ROOT

RUNNER = "orders.scenario_runner"
DATABASE_RUNNER = "venues.scenario_database"
IN_DJANGO = f"import django, sys; django.setup(); from {DATABASE_RUNNER} import main; sys.exit(main(sys.argv[1:]))"


def run(arguments: Namespace) -> int:
    """The verb: the runner's exit code (0 all as expected, 1 a difference, 2 a file it cannot read)."""
    file = Path(arguments.file).resolve()
    if not file.is_file():
        raise BadInput(f"There is no file {arguments.file}.")
    words = [str(file)]
    words += ["--twice"] if arguments.twice else []
    words += ["--shuffle", str(arguments.shuffle)] if arguments.shuffle is not None else []
    if not arguments.database:
        os.chdir(ROOT)
        return int(importlib.import_module(RUNNER).main(words))
    from oms_project.house.throwaway import prepared  # only this way needs servers

    with prepared() as found:
        command = [sys.executable, "-c", IN_DJANGO, *words, "--database"]
        return subprocess.run(command, cwd=ROOT, env=found.environment, check=False).returncode
