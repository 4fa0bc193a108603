"""Hard limits of a basket: inside, at the mark, outside, data missing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from risk.domain.answers import Acknowledgement, CheckAnswer, Verdict, judge
from risk.domain.basket import BasketFacts, basket_obstacle
from tests.unit.risk.world import POLICY

D = Decimal
BASKET = BasketFacts(100, {"GBP": D(1000000)}, D(1000000), [D(100000)] * 4 + [D(50000)])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, ""),
        ({"orders": 101}, "at most 100"),
        ({"values": {"GBP": D("1000000.01")}}, "at most 1000000"),
        ({"values": {"EUR": D(1)}}, "No mark says"),
        ({"counted": D("1000000.01")}, "10 times the largest of your last 5"),
        ({"counted": D(9000000), "before": [D(100000)] * 4}, ""),
        ({"counted": D(9000000), "before": [D(0)] * 9}, ""),
        ({"counted": None}, "Without a fresh exchange rate"),
        ({"counted": None, "before": ()}, ""),
        ({"values": {}, "counted": D(0)}, ""),
    ],
)
def test_a_basket_is_refused_beyond_a_mark(changes: dict[str, Any], said: str) -> None:
    obstacle = basket_obstacle(replace(BASKET, **changes), POLICY)
    assert (said in obstacle, bool(obstacle)) == (True, bool(said))


def test_without_a_policy_no_basket_is_taken_and_without_a_ratio_none_is_compared() -> None:
    assert basket_obstacle(BASKET, None) == "No policy says how large a basket may be."
    assert basket_obstacle(replace(BASKET, counted=D(10**9)), replace(POLICY, basket_ratio=None)) == ""


@pytest.mark.parametrize(("questions", "worst"), [(5, Verdict.PASS), (6, Verdict.AUTHORISE)])
def test_more_than_five_questions_are_a_second_persons(questions: int, worst: Verdict) -> None:
    answers = [CheckAnswer(f"Q{number}", Verdict.ACKNOWLEDGE, "Sure?") for number in range(questions)]
    given = [Acknowledgement(answer.code, "yes") for answer in answers]
    judgement = judge(answers, acknowledgements=given, on_desk=True)
    assert judgement.worst is worst
    assert all(answer.reason == "yes" for answer in judgement.answers)
