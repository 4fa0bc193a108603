"""A failing script shrinks to one none of whose steps can be left out, and is told in lines a person can read."""

from __future__ import annotations

import json

import pytest

from tests.unit.simulation.planted_bugs import BUGS
from venues.simulation.choices import below, draw, pick
from venues.simulation.generator import generate
from venues.simulation.runner import BAD_INPUT, FINDING, HOLDS, main, run_seeds
from venues.simulation.shrinking import fails, shrink, tell


def test_a_failing_script_shrinks_to_what_it_needs() -> None:
    with BUGS["a_correction_adds"]():
        seed = run_seeds(range(20))[0].seed
        small = shrink(generate(seed))
        assert [step.verb for step in small.steps if step.who == "venue"].count("correct") == 1
        assert fails(small) is not None
        for place in range(len(small.steps)):
            fewer = small._replace(steps=small.steps[:place] + small.steps[place + 1 :])
            assert fails(fewer) is None
    assert fails(small) is None


def test_the_story_ends_with_what_is_wrong() -> None:
    with BUGS["a_bust_adds"]():
        seed = run_seeds(range(20))[0].seed
        lines = tell(shrink(generate(seed)))
    assert lines[0].startswith(f"seed {seed}, adapter ")
    assert any("we enter order" in line for line in lines)
    assert lines[-1].startswith("WRONG after step ")


def test_a_seed_is_always_the_same_script() -> None:
    assert generate(7) == generate(7)
    assert generate(7) != generate(8)


def test_choices_hang_on_their_keys_alone() -> None:
    assert draw(1, 2, 3) == draw(1, 2, 3) != draw(1, 3, 2)
    assert {below(6, 9, n) for n in range(200)} == set(range(6))
    assert {pick(("a", "b"), 5, n) for n in range(50)} == {"a", "b"}


def test_the_verb_says_how_many_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["3..7", "--json"]) == HOLDS
    assert json.loads(capsys.readouterr().out) == {"seeds": 5, "clean": 5, "failed": []}


def test_the_verb_tells_the_story_of_one_seed_that_fails(capsys: pytest.CaptureFixture[str]) -> None:
    with BUGS["a_duplicate_reject_kills_the_first_order"]():
        failed = run_seeds(range(30))
        assert failed
        assert main([f"{failed[0].seed}..{failed[0].seed}"]) == FINDING
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"seed {failed[0].seed}, adapter ")
    assert out[-2] == f"FAIL seed {failed[0].seed} after step {failed[0].step}: {failed[0].why}"
    assert out[-1] == "0 clean, 1 failed"


@pytest.mark.parametrize("words", [["7..3"], ["a..b"], ["1..", "--json"], [], ["1..2", "3..4"]])
def test_what_is_no_range_of_seeds_is_bad_input(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == BAD_INPUT
    assert capsys.readouterr().out == ""
