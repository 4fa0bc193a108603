"""``./oms canary``: every control proven now by orders that it must refuse. Exit 0 when all were caught, 1 when one was not."""

from __future__ import annotations

import json
import os
from argparse import Namespace
from dataclasses import asdict

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import FINDING, HOLDS, CannotRun
from oms_project.house.paths import this_house


def run(arguments: Namespace) -> int:
    """The verb: runs them, keeps the run, and shows what each came to."""
    house = this_house()
    os.chdir(house.root)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode_of(house)), OMS_DATABASE_URL=addresses.app)
        import django

        django.setup()
        from django.db import connections

        from kernel.clock import utc_now
        from orders.services.run_canaries import run_canaries

        done = run_canaries(at=utc_now())
        connections.close_all()
    if not done.ran:
        raise CannotRun("There is no listing to trade yet, so there is nothing to prove a control with.")
    if arguments.json:
        print(json.dumps({"escaped": [one.code for one in done.escaped], "results": [asdict(r) for r in done.results]}))
    else:
        for one in done.results:
            print(
                f"{'caught ' if one.caught else 'ESCAPED'} {one.code:<32}{one.way:<7}{one.ref or '':<16}{one.sentence}"
            )
        print(f"{len(done.results) - len(done.escaped)} of {len(done.results)} canaries were caught.")
    return FINDING if done.escaped else HOLDS
