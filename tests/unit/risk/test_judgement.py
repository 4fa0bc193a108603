"""The worst answer wins, all are kept, and who sits in front of a question decides what it becomes."""

from __future__ import annotations

from decimal import Decimal

from risk.domain.answers import Acknowledgement, CheckAnswer, Verdict, answer_from_json, answer_to_json, judge
from risk.domain.checks import CHECKS, run_checks
from tests.unit.risk.world import FACTS, D, facts, terms

FAR = terms(price=D("80"))
REASON = Acknowledgement("PRICE_COLLAR", "Client insists")


def test_all_pass() -> None:
    judgement = run_checks(FACTS, on_desk=True)
    assert (judgement.worst, len(judgement.answers), judgement.sentence) == (Verdict.PASS, len(CHECKS), "")


def test_a_question_is_the_dealers_on_the_desk_and_a_second_persons_elsewhere() -> None:
    assert run_checks(FAR, on_desk=True).worst is Verdict.ACKNOWLEDGE
    elsewhere = run_checks(FAR, on_desk=False)
    assert elsewhere.worst is Verdict.AUTHORISE
    assert [answer.code for answer in elsewhere.with_verdict(Verdict.AUTHORISE)] == ["PRICE_COLLAR"]


def test_an_acknowledged_question_passes_anywhere_and_keeps_the_reason() -> None:
    for on_desk in (True, False):
        judgement = run_checks(FAR, acknowledgements=[REASON], on_desk=on_desk)
        assert judgement.worst is Verdict.PASS
        assert [answer.reason for answer in judgement.with_verdict(Verdict.ACKNOWLEDGE)] == ["Client insists"]


def test_an_empty_reason_acknowledges_nothing() -> None:
    assert (
        run_checks(FAR, acknowledgements=[Acknowledgement("PRICE_COLLAR", "  ")], on_desk=True).worst
        is Verdict.ACKNOWLEDGE
    )


def test_a_refusal_cannot_be_acknowledged_and_every_refusal_is_kept() -> None:
    given = [Acknowledgement(check.code, "please") for check in CHECKS]
    judgement = run_checks(facts(trading_on=False, cash_available=D(0)), acknowledgements=given, on_desk=True)
    assert judgement.worst is Verdict.REFUSE
    assert [answer.code for answer in judgement.with_verdict(Verdict.REFUSE)] == ["TRADING_SWITCHED_ON", "BUYING_POWER"]
    assert judgement.sentence == "Trading is switched off. The order needs GBP 725 and 0 is available."


def test_answers_survive_storage() -> None:
    answer = CheckAnswer("X", Verdict.AUTHORISE, "Too big.", {"qty": Decimal("1.50")}, "")
    stored = answer_to_json(answer)
    assert stored == {"code": "X", "verdict": "authorise", "facts": {"qty": "1.5"}, "sentence": "Too big."}
    assert answer_to_json(answer_from_json(stored)) == stored
    assert judge([answer_from_json(stored)], acknowledgements=(), on_desk=True).worst is Verdict.AUTHORISE
