"""``./oms demo-day [INCIDENT …]``: play incidents on the running demo house and hold each to its answer key.

Exit 0 when every key holds, 1 when one does not, 2 for an unknown incident, 3 when no demo house runs.
"""

from __future__ import annotations

import json
import os
from argparse import Namespace

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import FINDING, HOLDS, BadInput, CannotRun
from oms_project.house.paths import this_house


def run(arguments: Namespace) -> int:
    """The verb."""
    house = this_house()
    mode = mode_of(house)
    if mode == "live":
        raise CannotRun("Incidents are played in a demo house, never in a live one.")
    os.chdir(house.root)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode), OMS_DATABASE_URL=addresses.app)
        import django

        django.setup()
        from oms_project.demo_day.playing import Told, choose, play, require_running

        chosen = choose(arguments.incident)
        if chosen is None:
            raise BadInput(f"There is no such incident; there are: {', '.join(one.name for one in choose([]) or ())}.")
        if arguments.list:
            told = [Told(one.name, one.title, one.runbook, True, "") for one in chosen]
        else:
            require_running()
            told = []
            for incident in chosen:
                told.append(play(incident, seed=arguments.seed))
                if not arguments.json:
                    print(told[-1].line, flush=True)
    if arguments.json:
        print(json.dumps({"holds": all(one.holds for one in told), "incidents": [one.to_json() for one in told]}))
    elif arguments.list:
        print("\n".join(f"{one.name:<20}{one.runbook}  {one.title}" for one in told))
    return HOLDS if all(one.holds for one in told) else FINDING
