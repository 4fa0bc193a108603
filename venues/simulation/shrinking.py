"""From a failing script to the smallest one that still fails: steps and the wire's misbehaviours are taken out one by one.

Choices hang on the ids of steps, so that taking one out leaves all others as they were.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from venues.simulation.house import House
from venues.simulation.play import Play, Wrong
from venues.simulation.pure_house import PureHouse
from venues.simulation.script import Script, World

MakeHouse = Callable[[World], House]


def fails(script: Script, make_house: MakeHouse = PureHouse) -> Wrong | None:
    """What goes wrong in the script, or None."""
    try:
        Play(script, make_house(script.world)).run()
    except Wrong as wrong:
        return wrong
    return None


def shrink(script: Script, make_house: MakeHouse = PureHouse) -> Script:
    """A script none of whose parts can be left out without the failure going away."""
    smaller = _fewer_steps(script, make_house)
    while True:
        calmer = _calmer(smaller, make_house)
        again = _fewer_steps(calmer, make_house)
        if again == smaller:
            return again
        smaller = again


def _fewer_steps(script: Script, make_house: MakeHouse) -> Script:
    size = max(len(script.steps) // 2, 1)
    while True:
        place = 0
        while place < len(script.steps):
            fewer = script._replace(steps=script.steps[:place] + script.steps[place + size :])
            if fails(fewer, make_house):
                script = fewer
            else:
                place += size
        if size == 1:
            return script
        size = max(size // 2, 1)


def _calmer(script: Script, make_house: MakeHouse) -> Script:
    run = Play(script, make_house(script.world))
    with suppress(Wrong):
        run.run()
    for key in run.wire.misbehaved:
        calmer = script._replace(calm=script.calm | {key})
        if fails(calmer, make_house):
            script = calmer
    return script


def tell(script: Script, make_house: MakeHouse = PureHouse) -> list[str]:
    """What happens in the script, as lines to read."""
    lines: list[str] = [f"seed {script.world.seed}, adapter {script.world.adapter}", f"      {script.world.traits}"]
    try:
        Play(script, make_house(script.world), lines.append).run()
    except Wrong as wrong:
        lines.append(f"WRONG after step {wrong.step}: {wrong.why}")
    return lines
