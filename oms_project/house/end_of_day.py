"""``./oms end-of-day``: end a day of business at one market or at all whose day is over; the same services as the night's task.

Exit 0 when every day asked for is ended, 1 when one waits for something (it says for what; ask again), 2 for a day that is none.
"""

from __future__ import annotations

import json
import os
from argparse import Namespace
from datetime import date
from typing import Any

from oms_project.house import environment
from oms_project.house.current import house_addresses, mode_of
from oms_project.house.failures import BAD_INPUT, FINDING, HOLDS, BadInput
from oms_project.house.paths import this_house
from oms_project.house.trading import operator


def run(arguments: Namespace) -> int:
    """The verb."""
    day = _day(arguments.date)
    house = this_house()
    os.chdir(house.root)
    with house_addresses(house) as addresses:
        os.environ.update(environment.common(house, mode_of(house)), OMS_DATABASE_URL=addresses.app)
        import django

        django.setup()
        from django.db import connections

        from kernel.errors import OmsError

        try:
            days = end_days(mic=arguments.market or "", day=day)
        except OmsError as problem:
            if not arguments.json:
                raise BadInput(problem.sentence) from problem
            print(json.dumps({"error": {"code": problem.code, "sentence": problem.sentence}}))
            return BAD_INPUT
        finally:
            connections.close_all()
    show(days, as_json=arguments.json)
    return HOLDS if all(one["state"] == "done" for one in days) else FINDING


def end_days(*, mic: str, day: date | None) -> list[dict[str, Any]]:
    """End them, and say how each stands. Raises OmsError for a market or day that is none."""
    from authorisation.domain.principal import process_principal
    from kernel.clock import utc_now
    from operations.domain.day_steps import END, in_order
    from operations.selectors.days import days_to_end
    from operations.services.run_day import run_day

    actor, at = process_principal(f"oms end-of-day ({operator()})"), utc_now()
    runs = [
        run_day(kind=END, place=place, day=one, actor=actor, at=at)
        for place, one in days_to_end(mic=mic, day=day, at=at)
    ]
    return [
        {
            "run_id": str(run.id),
            "market": run.place,
            "date": str(run.day),
            "state": run.state,
            "steps": {
                name: {"done": kept["done"], "sentence": kept["sentence"], **kept["figures"]}
                for name, kept in in_order(END, run.steps).items()
            },
        }
        for run in runs
    ]


def show(days: list[dict[str, Any]], *, as_json: bool) -> None:
    """One object, or lines for a person."""
    if as_json:
        print(json.dumps({"days": days}))
        return
    for one in days:
        print(f"{one['market']} {one['date']}: {one['state']}")
        for name, step in one["steps"].items():
            print(f"  {'done' if step['done'] else 'waits':5} {name:10} {step['sentence']}")
    if not days:
        print("No market has a day that is over.")


def _day(text: str | None) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as problem:
        raise BadInput(f"--date is a day as 2026-11-25, not {text!r}.") from problem
