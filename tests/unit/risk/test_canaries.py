"""Every control has its canary; the control catches it, and lets pass what the canary was made of."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from risk.domain.answers import CheckAnswer, Verdict
from risk.domain.canaries import AT_THE_DOOR, CANARIES, is_caught, judge_canary, sound
from risk.domain.checks import CHECKS
from risk.domain.usage import PositionFacts, ScopeUsage, UsageFacts
from tests.unit.risk.world import FACTS

BY_CODE = {check.code: check for check in CHECKS}


def test_no_control_is_without_a_canary() -> None:
    assert set(CANARIES) == set(BY_CODE)
    assert set(AT_THE_DOOR) <= set(CANARIES)


@pytest.mark.parametrize("code", sorted(CANARIES))
def test_each_is_caught_by_its_own_control(code: str) -> None:
    assert BY_CODE[code].answer(FACTS).verdict is Verdict.PASS
    assert is_caught(judge_canary(code, FACTS)), code


@pytest.mark.parametrize("code", sorted(CANARIES))
def test_each_is_caught_on_a_day_without_a_price(code: str) -> None:
    assert is_caught(judge_canary(code, replace(FACTS, listing=replace(FACTS.listing, price=None))))


KNOWN = replace(
    FACTS,
    listing=replace(FACTS.listing, average_daily_volume=Decimal(50_000_000)),
    usage=UsageFacts(
        scopes=(ScopeUsage("firm", "", 1, 0, Decimal(0), Decimal(0)),),
        rate=Decimal(1),
        position=PositionFacts(Decimal(10), Decimal(0), Decimal(0), Decimal(1000)),
    ),
)


@pytest.mark.parametrize("code", sorted(CANARIES))
def test_each_is_caught_by_figures_where_all_are_known(code: str) -> None:
    assert is_caught(judge_canary(code, KNOWN)), code


def test_a_control_that_sleeps_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    control = BY_CODE["BUYING_POWER"]
    monkeypatch.setattr(type(control), "answer", lambda self, facts: CheckAnswer(self.code, Verdict.PASS))
    assert not is_caught(judge_canary("BUYING_POWER", FACTS))


def test_what_is_sound_stays_as_it_is() -> None:
    assert sound(FACTS) == FACTS
