"""What is stored of the checks is the same whichever way it is made."""

from __future__ import annotations

import orjson

from orders.domain.drafting import checks_json
from risk.domain.answers import Acknowledgement, answer_to_json
from risk.domain.checks import run_checks
from tests.unit.risk.world import D, facts, terms


def test_the_fast_text_of_the_answers_is_the_plain_one() -> None:
    for given in (terms(price=D("80")), facts(trading_on=False, cash_available=D("0.10"))):
        judgement = run_checks(given, acknowledgements=[Acknowledgement("PRICE_COLLAR", "why")], on_desk=True)
        plain = [answer_to_json(answer) for answer in judgement.answers]
        assert orjson.loads(checks_json(judgement.answers)) == plain
