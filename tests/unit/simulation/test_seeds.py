"""A sample of seeds is clean: books and venue agree after every kind of disorder, and every promise holds on the way."""

from __future__ import annotations

from collections import Counter

import pytest

from venues.simulation.acts import ACTS
from venues.simulation.generator import generate
from venues.simulation.play import play
from venues.simulation.runner import run_seeds


@pytest.mark.parametrize("first", [0, 500, 1000])
def test_clean(first: int) -> None:
    assert run_seeds(range(first, first + 500)) == []


def test_the_sample_is_rich() -> None:
    """Every act of a venue happens, on every dialect, and the wire misbehaves."""
    acts, adapters, kinds = Counter[str](), Counter[str](), Counter[str]()
    misbehaved = stored = 0
    for seed in range(200):
        script = generate(seed)
        run = play(script)
        adapters[script.world.adapter] += 1
        acts.update(step.verb for step in script.steps if step.who == "venue")
        kinds.update(saying.words.kind for saying in run.venue.said)
        misbehaved += len(run.wire.misbehaved)
        stored += len(run.stored)
    assert set(ACTS) <= set(acts)
    assert set(adapters) == {"fix44", "fix42", "fix44-leaves", "fix44-chained"}
    assert set(kinds) >= set("0345678AFGHIDER9") | {"B", "C", "j", "s"}
    assert misbehaved > 150
    assert stored > 1500
