"""The rule table: three-valued conditions, escalate-only answers, and a form that refuses what it could not read again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from kernel.errors import Invalid
from kernel.fix import OrdType
from risk.domain.answers import Acknowledgement, Verdict
from risk.domain.checks import CHECKS, run_boundary_checks, run_checks
from risk.domain.facts import Facts
from risk.domain.rulebook.conditions import Absent, Condition, Operator, all_hold
from risk.domain.rulebook.entering import TypedCondition, entered_rule
from risk.domain.rulebook.entries import Dated, RuleEntry
from risk.domain.rulebook.reading import read_condition, read_rule
from risk.domain.vocabulary import VOCABULARY, value_of
from tests.unit.risk.world import AT, FACTS, LISTING, TERMS, D, book, replacing

ALWAYS = Dated(AT - timedelta(days=1), None)
IN_LONDON = Condition("market", Operator.IN, frozenset({"XLON"}))
IN_PARIS = Condition("market", Operator.IN, frozenset({"XPAR"}))
MUCH_OF_VOLUME = Condition("volume_share", Operator.ABOVE, frozenset({D(5)}))  # LISTING's volume is not known
LARGE = Condition("quantity", Operator.ABOVE, frozenset({D(999)}))


def rule(*conditions: Condition, verdict: Verdict = Verdict.REFUSE, **changes: Any) -> RuleEntry:
    entry = RuleEntry("NO_THIS", ("firm", ""), conditions, verdict, "Not this.", ALWAYS, 3)
    return replace(entry, **changes)


def judged(*rules: RuleEntry, facts: Facts = FACTS, on_desk: bool = True, **given: Any) -> tuple[str, list[str]]:
    """The worst answer and the answers of rules."""
    world = replace(facts, conduct=book(rules=rules).conduct)
    judgement = run_checks(world, on_desk=on_desk, **given)
    assert len(judgement.answers) >= len(CHECKS)
    return judgement.worst.word, [
        f"{a.code} {a.verdict.word}" for a in judgement.answers[len(CHECKS) :]
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "worst", "answers"),
    [
        ([], "pass", []),
        ([rule(IN_LONDON)], "refuse", ["RULE_NO_THIS refuse"]),
        ([rule(IN_PARIS)], "pass", []),
        ([rule(IN_LONDON, LARGE)], "refuse", ["RULE_NO_THIS refuse"]),
        ([rule(IN_LONDON, IN_PARIS)], "pass", []),
        ([rule(IN_LONDON, verdict=Verdict.AUTHORISE)], "authorise", ["RULE_NO_THIS authorise"]),
        ([rule(IN_LONDON, verdict=Verdict.ACKNOWLEDGE)], "acknowledge", ["RULE_NO_THIS acknowledge"]),
        ([rule(IN_LONDON, verdict=Verdict.PASS)], "pass", ["RULE_NO_THIS pass"]),
        ([rule(MUCH_OF_VOLUME)], "refuse", ["RULE_NO_THIS refuse"]),
        ([rule(MUCH_OF_VOLUME, verdict=Verdict.ACKNOWLEDGE)], "refuse", ["RULE_NO_THIS refuse"]),
        ([rule(MUCH_OF_VOLUME, verdict=Verdict.PASS)], "pass", []),
        ([rule(MUCH_OF_VOLUME, IN_PARIS)], "pass", []),
        ([rule(IN_LONDON, pair=("account", "3"))], "refuse", ["RULE_NO_THIS refuse"]),
        ([rule(IN_LONDON, pair=("account", "4"))], "pass", []),
        ([rule(IN_LONDON, dated=Dated(AT, AT + timedelta(seconds=1)))], "refuse", ["RULE_NO_THIS refuse"]),
        ([rule(IN_LONDON, dated=Dated(AT + timedelta(microseconds=1), None))], "pass", []),
        ([rule(IN_LONDON, dated=Dated(AT - timedelta(days=1), AT))], "pass", []),
        ([rule(IN_LONDON, verdict=Verdict.ACKNOWLEDGE), rule(LARGE, code="A_SECOND", verdict=Verdict.AUTHORISE)],
         "authorise", ["RULE_A_SECOND authorise", "RULE_NO_THIS acknowledge"]),
    ],
)  # fmt: skip
def test_a_rule_answers_where_all_its_conditions_hold(given: list[RuleEntry], worst: str, answers: list[str]) -> None:
    assert judged(*given) == (worst, answers)


def test_a_rule_never_makes_an_answer_better() -> None:
    refused = replace(FACTS, trading_on=False)
    for verdict in Verdict:
        assert judged(rule(IN_LONDON, verdict=verdict), facts=refused)[0] == "refuse"


def test_off_the_desk_a_question_of_a_rule_is_a_second_persons_unless_the_payload_answers_it() -> None:
    asking = rule(IN_LONDON, verdict=Verdict.ACKNOWLEDGE)
    assert judged(asking, on_desk=False) == ("authorise", ["RULE_NO_THIS authorise"])
    given = [Acknowledgement("RULE_NO_THIS", "Client insists")]
    assert judged(asking, on_desk=False, acknowledgements=given) == ("pass", ["RULE_NO_THIS acknowledge"])
    assert judged(rule(IN_LONDON), acknowledgements=given)[0] == "refuse"


def test_what_only_takes_risk_away_meets_no_rule() -> None:
    assert judged(rule(IN_LONDON), facts=replacing("500")) == ("pass", [])


def test_right_before_the_wire_rules_that_refuse_are_asked_again() -> None:
    facts = replace(
        FACTS, conduct=book(rules=[rule(IN_LONDON), rule(LARGE, code="ASK", verdict=Verdict.AUTHORISE)]).conduct
    )
    assert [a.code for a in run_boundary_checks(facts) if a.verdict] == ["RULE_NO_THIS"]


def test_a_rule_says_what_it_saw_and_what_nobody_knew() -> None:
    facts = replace(FACTS, conduct=book(rules=[rule(IN_LONDON), rule(MUCH_OF_VOLUME, code="SHARE")]).conduct)
    known, unknown = run_checks(facts, on_desk=True).answers[len(CHECKS) :]
    assert (known.sentence, known.facts) == ("Not this.", {"version": 3, "scope": "firm", "market": "XLON"})
    assert unknown.sentence == "Rule SHARE cannot be judged: not known is share of the average daily volume."
    assert unknown.facts["unknown"] == ["volume_share"]


def test_a_word_that_left_the_vocabulary_is_unknown() -> None:
    assert value_of(FACTS, "moon") is Absent.UNKNOWN
    assert judged(rule(Condition("moon", Operator.IN, frozenset({"full"}))))[0] == "refuse"


@pytest.mark.parametrize(
    ("operator", "value", "mark", "holds"),
    [
        (Operator.ABOVE, D(10), D(10), False),
        (Operator.ABOVE, D("10.0001"), D(10), True),
        (Operator.BELOW, D(10), D(10), False),
        (Operator.BELOW, D("9.9999"), D(10), True),
        (Operator.IN, "a", "a", True),
        (Operator.NOT_IN, "a", "a", False),
        (Operator.NOT_IN, "b", "a", True),
        (Operator.NOT_IN, Absent.UNKNOWN, "a", None),
        (Operator.NOT_IN, Absent.NOT_APPLICABLE, "a", False),
        (Operator.ABOVE, "ten", D(10), None),
    ],
)
def test_marks_are_strict_and_the_unknown_is_neither(
    operator: Operator, value: Any, mark: Any, holds: bool | None
) -> None:
    assert Condition("quantity", operator, frozenset({mark})).holds(value) is holds
    assert all_hold([Condition("quantity", operator, frozenset({mark}))], lambda name: value).holds is holds


def test_every_fact_of_the_vocabulary_can_be_read() -> None:
    known = replace(
        FACTS,
        listing=replace(LISTING, average_daily_volume=D(100000), price=replace(LISTING.price, bid=D(72), ask=D(73))),  # type: ignore[type-var]
        conduct=replace(FACTS.conduct, strategy="PAIRS"),
    )
    values = {name: value_of(known, name) for name in VOCABULARY}
    assert not [name for name, value in values.items() if isinstance(value, Absent)]
    assert values["volume_share"] == D(1)
    assert values["distance"] == 0
    assert values["notional"] == D(725)
    assert values["source"] == "ticket"
    market = replace(FACTS, terms=replace(TERMS, ord_type=OrdType.MARKET, price=None))
    assert value_of(market, "distance") is Absent.NOT_APPLICABLE
    for name, fact in VOCABULARY.items():
        value = values[name]
        assert not fact.choices or value in fact.choices, name


GOOD: dict[str, Any] = {
    "code": "NO_LARGE_ETF",
    "title": "Large ETF orders",
    "scope": "firm",
    "scope_id": "",
    "verdict": "authorise",
    "sentence": "A large ETF order needs a second person.",
    "source": "Trading policy 4.2",
    "reason": "Liquidity",
    "owner": "compliance",
    "effective_from": AT,
    "effective_until": None,
}
CONDITIONS = [TypedCondition("asset_class", "in", "ETF"), TypedCondition("quantity", "above", "10k")]


def test_what_was_entered_can_be_read_again() -> None:
    stored = entered_rule(GOOD, CONDITIONS)
    entry = read_rule(stored | {"version": 1})
    assert entry.conditions == (
        Condition("asset_class", Operator.IN, frozenset({"etf"})),
        Condition("quantity", Operator.ABOVE, frozenset({D(10000)})),
    )
    assert (entry.verdict, entry.dated.in_force(AT), entry.answer_code) == (
        Verdict.AUTHORISE,
        True,
        "RULE_NO_LARGE_ETF",
    )


@pytest.mark.parametrize(
    ("changes", "conditions", "field"),
    [
        ({"code": "no"}, CONDITIONS, "code"),
        ({"title": ""}, CONDITIONS, "title"),
        ({"source": " "}, CONDITIONS, "source"),
        ({"reason": ""}, CONDITIONS, "reason"),
        ({"owner": ""}, CONDITIONS, "owner"),
        ({"scope": "planet"}, CONDITIONS, "scope"),
        ({"scope": "desk"}, CONDITIONS, "scope_id"),
        ({"scope_id": "7"}, CONDITIONS, "scope_id"),
        ({"verdict": "maybe"}, CONDITIONS, "verdict"),
        ({"sentence": "No."}, CONDITIONS, "sentence"),
        ({"effective_from": None}, CONDITIONS, "effective_from"),
        ({"effective_from": AT.replace(tzinfo=None)}, CONDITIONS, "effective_from"),
        ({"effective_until": AT}, CONDITIONS, "effective_until"),
        ({}, [], "conditions"),
        ({}, [TypedCondition("quantity", "above", "1")] * 13, "conditions"),
        ({}, [TypedCondition("moon", "in", "full")], "condition_1"),
        ({}, [CONDITIONS[0], TypedCondition("quantity", "above", "many")], "condition_2"),
        ({}, [TypedCondition("quantity", "in", "5")], "condition_1"),
        ({}, [TypedCondition("market", "above", "5")], "condition_1"),
        ({}, [TypedCondition("market", "like", "X")], "condition_1"),
        ({}, [TypedCondition("side", "in", "sideways")], "condition_1"),
        ({}, [TypedCondition("market", "in", " , ")], "condition_1"),
        ({}, [TypedCondition("quantity", "above", "NaN")], "condition_1"),
    ],
)
def test_a_malformed_rule_is_refused_by_field(
    changes: dict[str, Any], conditions: list[TypedCondition], field: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        entered_rule(GOOD | changes, conditions)
    assert list(refusal.value.fields) == [field]
    assert refusal.value.code == "RULE_INVALID"


def test_a_rule_for_one_scope_needs_no_condition_and_a_silent_one_no_sentence() -> None:
    assert entered_rule(GOOD | {"scope": "account", "scope_id": "3"}, [])["conditions"] == []
    assert entered_rule(GOOD | {"verdict": "pass", "sentence": ""}, CONDITIONS)["verdict"] == "pass"


def test_a_stored_condition_without_values_cannot_be_read() -> None:
    for values in ([], ["1", "2"]):
        with pytest.raises(ValueError, match="needs values"):
            read_condition({"fact": "quantity", "op": "above", "values": values})
