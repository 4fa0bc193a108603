"""``simulate``: scenarios a minute of one core, with every promise checked after every step, in processor time.

Seeds from 0 on: 2,000, at ``--full`` 20,000. No database is used. Besides the rate it says how many seeds each planted bug
takes until it is found (the most, and the median). The result is verified: every seed is clean, every planted bug is found.
The floor is the goal, 10,000 a minute.
"""

from __future__ import annotations

import statistics
import sys
import time
from typing import Any

from tests.unit.simulation.planted_bugs import BUGS
from tests.unit.simulation.test_planted_bugs import seeds_needed
from venues.simulation.generator import generate
from venues.simulation.play import play
from venues.simulation.runner import run_seeds

GOAL_A_MINUTE = 10_000


def main(full: bool) -> dict[str, Any]:
    """Rate and goal per second, their ratio, milliseconds a scenario, and the seeds planted bugs took."""
    count = 20_000 if full else 2_000
    for seed in range(50):  # warm
        play(generate(seed))
    started = time.process_time()
    failed = run_seeds(range(count))
    took = time.process_time() - started
    assert not failed, failed[:3]
    needed = {name: seeds_needed(name) for name in sorted(BUGS)}
    missed = sorted(name for name, seeds in needed.items() if seeds is None)
    assert not missed, missed
    found = [seeds for seeds in needed.values() if seeds is not None]
    for name, seeds in needed.items():
        print(f"{seeds:>5} seeds to find: {name.replace('_', ' ')}", file=sys.stderr)
    rate, floor_rate = count / took, GOAL_A_MINUTE / 60
    return {
        "rate": round(rate, 1),
        "floor_rate": round(floor_rate, 1),
        "ratio": round(rate / floor_rate, 3),
        "a_minute": round(rate * 60),
        "mean_ms": round(took / count * 1000, 3),
        "n": count,
        "planted": len(found),
        "most_seeds": max(found),
        "median_seeds": statistics.median(found),
    }
