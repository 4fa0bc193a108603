"""Every planted bug is found within a stated number of seeds; the test report says how many each one took."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.simulation.planted_bugs import BUGS
from venues.simulation.generator import generate
from venues.simulation.runner import trial

MOST_SEEDS = 600


def seeds_needed(name: str, most: int = MOST_SEEDS) -> int | None:
    """How many seeds, counted from 0, until the planted bug shows; None when none of them shows it."""
    with BUGS[name]():
        for seed in range(most):
            if trial(generate(seed)) is not None:
                return seed + 1
    return None


def test_there_are_enough_of_them() -> None:
    assert len(BUGS) >= 40


@pytest.mark.parametrize("name", sorted(BUGS))
def test_found(name: str, record_property: Callable[[str, object], None]) -> None:
    needed = seeds_needed(name)
    record_property("seeds_needed", needed)
    assert needed is not None, f"{MOST_SEEDS} seeds do not show that {name.replace('_', ' ')}"
