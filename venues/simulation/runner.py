"""``./oms simulate --seeds A..B``: play every seed, say which are clean and where the others break.

One seed that breaks is shrunk and told as lines to read. Exit codes: 0 all clean, 1 some are not, 2 bad input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from venues.simulation.generator import generate
from venues.simulation.house import House
from venues.simulation.play import Wrong, play
from venues.simulation.pure_house import PureHouse
from venues.simulation.script import Script, World
from venues.simulation.shrinking import shrink, tell

HOLDS, FINDING, BAD_INPUT = 0, 1, 2
USAGE = "usage: ./oms simulate --seeds A..B [--through database] [--json]\n"

MakeHouse = Callable[[World], House]
Trial = Callable[[Script], Wrong | None]


class Failed(NamedTuple):
    """A seed that is not clean: after which step it was seen (1000000 and more is a round of healing), and what."""

    seed: int
    step: int
    why: str


def trial(script: Script) -> Wrong | None:
    """The script against the pure house: what is wrong, or None."""
    try:
        play(script, PureHouse(script.world))
    except Wrong as wrong:
        return wrong
    return None


def run_seeds(seeds: range, one: Trial = trial) -> list[Failed]:
    """Those of the seeds that are not clean."""
    failed = []
    for seed in seeds:
        wrong = one(generate(seed))
        if wrong is not None:
            failed.append(Failed(seed, wrong.step, wrong.why))
    return failed


def report(seeds: range, failed: Sequence[Failed], *, as_json: bool) -> int:
    """Print the outcome; the exit code."""
    outcome: dict[str, Any] = {
        "seeds": len(seeds),
        "clean": len(seeds) - len(failed),
        "failed": [one._asdict() for one in failed],
    }
    if as_json:
        sys.stdout.write(json.dumps(outcome) + "\n")
        return FINDING if failed else HOLDS
    for one in failed:
        sys.stdout.write(f"FAIL seed {one.seed} after step {one.step}: {one.why}\n")
    sys.stdout.write(f"{outcome['clean']} clean, {len(failed)} failed\n")
    return FINDING if failed else HOLDS


def range_or_none(text: str) -> range | None:
    """``7..12`` or ``7``, both ends included; None for anything else."""
    first, dots, last = text.partition("..")
    if not first.isdecimal() or (dots and not last.isdecimal()):
        return None
    return range(int(first), int(last if dots else first) + 1) or None


def main(argv: Sequence[str]) -> int:
    """``main(["A..B"])`` or ``main(["A..B", "--json"])`` through the pure core."""
    words = [word for word in argv if word != "--json"]
    seeds = range_or_none(words[0]) if len(words) == 1 else None
    if seeds is None:
        sys.stderr.write(USAGE)
        return BAD_INPUT
    as_json = "--json" in argv
    failed = run_seeds(seeds)
    if failed and len(seeds) == 1 and not as_json:
        sys.stdout.write("\n".join(tell(shrink(generate(seeds[0])))) + "\n")
    return report(seeds, failed, as_json=as_json)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
