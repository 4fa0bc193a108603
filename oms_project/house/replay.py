"""``./oms replay [--order ID|--account ID|--all] --compare``: rebuild from the journal and compare with the tables.

``--picture`` builds the picture of this build from nothing instead, beside the running one, and puts its version in
force: after it a new build starts from a snapshot at once. On the house's database, beside ``up`` or without it. Exit 0
when nothing differs, 1 when something does.
"""

from __future__ import annotations

import json
import os
import time
from argparse import Namespace
from dataclasses import asdict
from typing import Any

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import FINDING, HOLDS, BadInput
from oms_project.house.paths import this_house


def run(arguments: Namespace) -> int:
    """The verb."""
    if not arguments.compare:
        raise BadInput("Say --compare: a replay is rebuilt to be compared with the tables.")
    house = this_house()
    os.chdir(house.root)
    with house_addresses(house) as addresses:
        url = addresses.app if arguments.picture else addresses.read
        os.environ.update(environment.common(house, mode_of(house)), OMS_DATABASE_URL=url)
        import django

        django.setup()
        named = {"order": arguments.order or "", "account": arguments.account or ""}
        answer = rebuilt() if arguments.picture else compared(**named)
    if arguments.json:
        print(json.dumps(answer))
    else:
        show(answer)
    return FINDING if answer["differing"] else HOLDS


def compared(*, order: str, account: str) -> dict[str, Any]:
    """What was rebuilt, how fast, and each difference found."""
    from django.db import connections

    from kernel.errors import NotFound
    from operations.services.compare_replay import compare_replay

    started = time.monotonic()
    try:
        result = compare_replay(order=order, account=account)
    except NotFound as problem:
        raise BadInput(problem.sentence) from problem
    finally:
        connections.close_all()
    return {**asdict(result), "seconds": round(time.monotonic() - started, 2)}


def rebuilt() -> dict[str, Any]:
    """The picture from nothing, kept and put in force, and what of it differs from the tables."""
    from django.db import connections

    from journal.services.rebuild_projection import rebuild_projection
    from kernel.clock import utc_now
    from operations.domain.picture_state import PictureState
    from operations.services.compare_picture import compare_picture

    started, state = time.monotonic(), PictureState()
    position = rebuild_projection(projection=state, at=utc_now())
    result = compare_picture(state=state, position=position)
    connections.close_all()
    return {**asdict(result), "events": position, "untold": 0, "seconds": round(time.monotonic() - started, 2)}


def show(answer: dict[str, Any]) -> None:
    """For people: each difference a line, then how much was compared."""
    for one in answer["differences"]:
        print(f"{one['subject']}  {one['field']}: events say {one['events_say']}, tables say {one['tables_say']}")
    hidden = answer["differing"] - len(answer["differences"])
    if hidden:
        print(f"… and {hidden} more differences")
    print(
        f"{answer['orders']} orders and {answer['accounts']} accounts rebuilt from {answer['events']} events in "
        f"{answer['seconds']} s: {answer['differing']} differences"
        + (
            f"; {answer['untold']} orders of before their events told everything were left out"
            if answer["untold"]
            else ""
        )
        + "."
    )
