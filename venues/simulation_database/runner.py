"""``./oms simulate --seeds A..B --through database``: each seed through the pure house and through tables.

Every promise is checked in both, and after every step both must show the same orders: a difference is a failure of the
seed, as is anything the pure house does not fail at.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

from venues.simulation.generator import ADAPTERS
from venues.simulation.house import House, OrderView
from venues.simulation.play import Play, Wrong
from venues.simulation.pure_house import PureHouse
from venues.simulation.runner import BAD_INPUT, USAGE, range_or_none, report, run_seeds
from venues.simulation.script import Script
from venues.simulation_database.database_house import DatabaseHouse
from venues.simulation_database.desk import SimulatedDesk, make_desk

Shown = tuple[int, tuple[dict[str, Any] | None, ...]]


class Twice:
    """Plays a script against both houses and compares."""

    def __init__(self, desk: SimulatedDesk) -> None:
        self._desk = desk

    def __call__(self, script: Script) -> Wrong | None:
        pure, wrong = _played(script, PureHouse(script.world))
        if wrong is not None:
            return wrong
        real, wrong = _played(script, DatabaseHouse(self._desk, script.world))
        return _difference(pure, real) or wrong


def make_twice() -> Twice:
    """In a fresh database: makes the desk all seeds trade at."""
    return Twice(make_desk(tuple(sorted(set(ADAPTERS)))))


def _played(script: Script, house: House) -> tuple[list[Shown], Wrong | None]:
    shown: list[Shown] = []

    def watch(play: Play, step: int) -> None:
        shown.append((step, tuple(_figures(house.look(index)) for index in range(len(script.world.terms)))))

    try:
        Play(script, house).run(watch)
    except Wrong as wrong:
        return shown, wrong
    return shown, None


def _figures(view: OrderView | None) -> dict[str, Any] | None:
    """What both houses must show alike. ClOrdIDs differ by the order's number; which request they name does not."""
    if view is None:
        return None
    figures = view._asdict()
    figures["cl_ord_id"] = view.cl_ord_id.partition(".")[2]
    figures["requests"] = [(r.seq, r.kind, r.state) for r in view.requests]
    figures["executions"], figures["booked"] = sorted(view.executions), sorted(view.booked)
    return figures


def _difference(pure: list[Shown], real: list[Shown]) -> Wrong | None:
    for one, other in zip_longest(pure, real):
        if one is None or other is None:
            return None  # the longer run says why the other ended
        for index, (want, got) in enumerate(zip(one[1], other[1], strict=True)):
            if want == got:
                continue
            if want is None or got is None:
                return Wrong(one[0], f"order {index}: core has {want}, tables have {got}")
            named = next(name for name in want if want[name] != got[name])
            return Wrong(one[0], f"order {index}: {named} is {want[named]} by the core, {got[named]} in the tables")
    return None


def main(argv: Sequence[str]) -> int:
    """``main(["A..B"])`` in a process with Django set up on a throw-away database; exit codes as the pure run."""
    words = [word for word in argv if word != "--json"]
    seeds = range_or_none(words[0]) if len(words) == 1 else None
    if seeds is None:
        sys.stderr.write(USAGE)
        return BAD_INPUT
    return report(seeds, run_seeds(seeds, make_twice()), as_json="--json" in argv)
