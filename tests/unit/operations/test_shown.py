"""What holds a decision up when it moves, what only drifts, and what is none of ours."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from kernel.errors import Invalid
from operations.domain.effect import Effect, EffectLine
from operations.domain.shown import OBSTACLE, WHAT_IS_ASKED, Moves, compare, from_text, parts_of, to_text
from risk.domain.answers import CheckAnswer, Verdict

HASH = "9b1c" * 16
EFFECT = Effect(
    headline="BUY 48,000",
    button="48,000 @ 233.00",
    lines=(
        EffectLine("Cash", "5", "4", drifts=True),
        EffectLine("Exposure", "0.00", "100.00", may_grow=Decimal("100.00")),
    ),
    fields=(EffectLine("Quantity", "20,000", "48,000"),),
    checks=(CheckAnswer("AGE", Verdict.AUTHORISE, "The price is old."), CheckAnswer("TICK", Verdict.PASS)),
)


def moves(effect: Effect, payload_hash: str = HASH) -> Moves:
    return compare(parts_of(HASH, EFFECT), parts_of(payload_hash, effect))


def grown(text: str) -> Effect:
    return replace(EFFECT, lines=(EFFECT.lines[0], EffectLine("Exposure", "0.00", text, may_grow=Decimal(text))))


def checked(**verdicts: Verdict) -> Effect:
    return replace(EFFECT, checks=tuple(CheckAnswer(code, verdict) for code, verdict in verdicts.items()))


def test_nothing_moved() -> None:
    assert moves(EFFECT) == Moves()


def test_other_terms_and_other_figures_hold_it_up() -> None:
    assert moves(EFFECT, "0" * 64).binding == (WHAT_IS_ASKED,)
    other = replace(EFFECT, fields=(EffectLine("Quantity", "18,000", "48,000"),))
    assert moves(other) == Moves(("Quantity",), frozenset({"Quantity"}))
    gone = replace(EFFECT, fields=())
    assert moves(gone).binding == ("Quantity",)


def test_what_drifts_is_marked_and_holds_nothing_up() -> None:
    other = replace(EFFECT, lines=(EffectLine("Cash", "5", "3", drifts=True), EFFECT.lines[1]))
    assert moves(other) == Moves((), frozenset({"Cash"}))


@pytest.mark.parametrize(
    ("value", "held_up"), [("90.00", False), ("105.00", False), ("105.01", True), ("0.00", False), ("-5.00", False)]
)
def test_an_effect_may_grow_by_the_tolerance(value: str, held_up: bool) -> None:
    assert bool(moves(grown(value)).binding) is held_up
    assert ("Exposure" in moves(grown(value)).marked) is True


def test_an_effect_that_became_unknown_holds_it_up() -> None:
    unknown = replace(EFFECT, lines=(EFFECT.lines[0], EffectLine("Exposure", "0.00", "—")))
    assert "Exposure" in moves(unknown).binding


def test_a_check_holds_up_when_it_answers_worse_only() -> None:
    assert moves(checked(AGE=Verdict.PASS)).binding == ()
    assert moves(checked(AGE=Verdict.REFUSE)).binding == ("AGE",)
    assert moves(checked(AGE=Verdict.AUTHORISE, TICK=Verdict.ACKNOWLEDGE)).binding == ("TICK",)
    assert moves(checked(AGE=Verdict.AUTHORISE, NEW=Verdict.AUTHORISE)).binding == ("NEW",)


def test_an_obstacle_that_came_up_holds_it_up() -> None:
    over = replace(EFFECT, obstacle="It is over.")
    assert moves(over).binding == (OBSTACLE,)
    assert compare(parts_of(HASH, over), parts_of(HASH, EFFECT)).binding == ()


def test_the_text_is_short_and_comes_back() -> None:
    parts = parts_of(HASH, EFFECT)
    assert from_text(to_text(parts)) == parts
    many = replace(EFFECT, fields=tuple(EffectLine(f"Field {number}", "1", "2") for number in range(60)))
    assert len(to_text(parts_of(HASH, many))) < 2000


@pytest.mark.parametrize("text", ["x", "e30x", "bnVsbA", to_text({"": "x"}), "A" * 20_000, "é"])
def test_what_is_none_of_ours_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as refused:
        from_text(text)
    assert refused.value.code == "SHOWN_INVALID"


def test_an_unknown_verdict_counts_as_passed() -> None:
    """A forged one only makes its forger look again."""
    forged = {**parts_of(HASH, EFFECT), "?AGE": "9"}
    assert compare(forged, parts_of(HASH, EFFECT)).binding == ("AGE",)
