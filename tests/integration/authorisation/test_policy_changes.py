"""Who decides what is changed by two people: applied from then on, bound to what was asked, never so that nobody could decide."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from authorisation.domain.policy import POLICIES, PolicyRow, choose
from authorisation.domain.policy_change import PolicyChange, change_of_payload
from authorisation.domain.principal import Principal
from authorisation.models import ApprovalPolicy, AuthorisationRequest
from authorisation.selectors import get_request
from authorisation.selectors.policies import standing_policies
from authorisation.services.decide_policy_change import decide_policy_change
from authorisation.services.decide_request import Decided
from authorisation.services.request_policy_change import request_policy_change
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, OmsError, Refused
from operations.selectors.policies import describe_policy_change, list_policy_lines
from tests.factories.authorisation import AT, desk, person, principal
from tests.integration.authorisation.test_requests import ask as ask_for_order
from tests.integration.authorisation.test_requests import state

pytestmark = pytest.mark.django_db
TWO_ABOVE_A_MILLION = PolicyChange(
    "order_request", None, Decimal(1_000_000), "GBP", 2, "release_order", 1800, 120, stops_clock=False
)


@pytest.fixture
def maker() -> Principal:
    for n in range(3):
        person(f"releases{n}", rights=("release_order",))
    return principal("admin", rights=("administer_users",))


def ask(maker: Principal, change: PolicyChange = TWO_ABOVE_A_MILLION) -> AuthorisationRequest:
    asked = request_policy_change(actor=maker, at=AT, change=change, reason="The board wants it")
    return AuthorisationRequest.objects.get(pk=asked.authorisation_id)


def decide(asked: AuthorisationRequest, verdict: str = "approve", **changes: Any) -> Decided:
    name = f"risk{AuthorisationRequest.objects.count()}{verdict}{len(changes)}"
    values: dict[str, Any] = {"actor": principal(name, rights=("decide_risk_change",)), "at": AT + timedelta(minutes=1)}
    return decide_policy_change(
        **{**values, **changes}, authorisation_id=asked.id, verdict=verdict, reason_code="X", reason="x",
        payload_hash=asked.payload_hash,
    )  # fmt: skip


def test_an_approved_policy_rules_what_is_raised_from_then_on(maker: Principal) -> None:
    asked = ask(maker)
    assert asked.summary == (
        "Order release above 1000000 GBP: 2 people who may release orders, within 0:30:00, because: The board wants it"
    )
    assert change_of_payload(asked.payload) == TWO_ABOVE_A_MILLION
    assert decide(asked).outcome == "applied"
    row = ApprovalPolicy.objects.get(change=asked)
    assert (row.version, row.checkers, row.above, row.effective_from) == (
        1,
        2,
        Decimal(1_000_000),
        AT + timedelta(minutes=1),
    )
    told = Event.objects.get(kind="ApprovalPolicySet")
    assert (told.stream, told.payload["policy_id"], told.payload["maker_id"]) == (
        "policy:order_request",
        row.pk,
        maker.user_id,
    )
    big = {"value": Decimal(2_000_000), "currency": "GBP"}
    before = ask_for_order(principal("early"), **big)  # raised at AT, before it stood
    assert AuthorisationRequest.objects.get(pk=before.id).checkers == 1
    rows = standing_policies(at=AT + timedelta(minutes=1), kind="order_request")
    chosen = choose(rows, desk_id=None, **big)  # type: ignore[arg-type]
    assert chosen is not None
    assert (chosen.checkers, chosen.row.id) == (2, row.pk)


def test_a_policy_of_its_own_is_ended(maker: Principal) -> None:
    decide(ask(maker))
    at = AT + timedelta(minutes=2)
    gone = replace(TWO_ABOVE_A_MILLION, ended=True)
    asked = AuthorisationRequest.objects.get(
        pk=request_policy_change(actor=maker, at=at, change=gone, reason="x").authorisation_id
    )
    assert decide(asked, at=at).outcome == "applied"
    assert len(standing_policies(at=at)) == len(POLICIES)


def test_what_was_asked_on_another_version_is_not_applied(maker: Principal) -> None:
    asked = ask(maker)
    ApprovalPolicy.objects.create(
        **{k: v for k, v in TWO_ABOVE_A_MILLION.to_payload().items() if k != "above"},
        above=Decimal(1_000_000), version=1, effective_from=AT,
    )  # fmt: skip
    done = decide(asked)
    assert (done.outcome, done.sentence) == ("not_applied", "The policy was changed since this was asked.")
    assert ApprovalPolicy.objects.filter(above__isnull=False).count() == 1


def test_declined_nothing_changes(maker: Principal) -> None:
    assert decide(ask(maker), "decline").sentence == "The policy stays as it is."
    assert len(standing_policies(at=AT + timedelta(days=1))) == len(POLICIES)


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"kind": "unheard_of"}, Invalid, "POLICY_INVALID"),
        ({"right": "enter_order"}, Invalid, "POLICY_INVALID"),
        ({"checkers": 0}, Invalid, "POLICY_INVALID"),
        ({"checkers": 6}, Invalid, "POLICY_INVALID"),
        ({"patience_s": 59}, Invalid, "POLICY_INVALID"),
        ({"claim_s": 29}, Invalid, "POLICY_INVALID"),
        ({"above": Decimal(0)}, Invalid, "POLICY_INVALID"),
        ({"above": None}, Invalid, "POLICY_INVALID"),
        ({"currency": ""}, Invalid, "POLICY_INVALID"),
        ({"above": None, "currency": "", "ended": True}, Invalid, "POLICY_INVALID"),
        ({"ended": True}, NotFound, "POLICY_UNKNOWN"),
        ({"desk_id": 0}, NotFound, "DESK_UNKNOWN"),
        ({"checkers": 3}, Refused, "NOT_ENOUGH_CHECKERS"),
        ({"right": "decide_static_data"}, Refused, "NOT_ENOUGH_CHECKERS"),
    ],
)
def test_what_cannot_be_asked_for(maker: Principal, changes: dict[str, Any], error: type[OmsError], code: str) -> None:
    before = state()
    with pytest.raises(error) as refused:
        ask(maker, replace(TWO_ABOVE_A_MILLION, **changes))
    assert refused.value.code == code
    assert state() == before


def test_who_may_not_ask_and_what_waits_already(maker: Principal) -> None:
    with pytest.raises(NotPermitted):
        ask(principal("dealer", rights=("enter_order",)))
    ask(maker)
    with pytest.raises(Conflict) as waits:
        ask(maker)
    assert waits.value.code == "DECISION_PENDING"


def test_people_who_left_are_too_few_at_the_decision(maker: Principal) -> None:
    asked = ask(maker)
    type(asked.maker).objects.filter(username="releases0").update(is_active=False)
    assert decide(asked).outcome == "not_applied"


def test_the_effect_says_now_and_then_and_what_keeps_its_own(maker: Principal) -> None:
    ask_for_order(principal("dealer"))
    fewer = replace(TWO_ABOVE_A_MILLION, above=None, currency="", checkers=1, stops_clock=True, patience_s=600)
    ApprovalPolicy.objects.create(
        **{k: v for k, v in fewer.to_payload().items() if k not in ("checkers", "stops_clock", "patience_s")},
        checkers=2, stops_clock=False, patience_s=1800, version=2, effective_from=AT,
    )  # fmt: skip
    asked = ask(maker, fewer)
    effect = describe_policy_change(maker, get_request(maker, asked.id, at=AT).facts, AT)
    assert [(line.now, line.then) for line in effect.lines] == [
        ("2", "1"), ("release orders", "release orders"), ("0:30:00", "0:10:00"), ("0:02:00", "0:02:00"), ("no", "yes"),
    ]  # fmt: skip
    assert effect.warnings == (
        "Fewer people than now will have to say yes.",
        "1 of the kind wait now and keep the policy they were raised under.",
    )


def test_the_list_names_what_waits(maker: Principal) -> None:
    desk("EQ9")
    asked = ask(maker, replace(TWO_ABOVE_A_MILLION, above=None, currency=""))
    lines = {(line.title, line.where): line for line in list_policy_lines(at=AT)}
    assert len(lines) == len(POLICIES)
    assert lines["Order release", "the house"].waiting_id == asked.id


def row(row_id: int, **values: Any) -> PolicyRow:
    standing = {
        "kind": "k", "desk_id": None, "above": None, "currency": "", "version": 1, "checkers": 1, "right": "r",
        "patience_s": 60, "claim_s": 60, "stops_clock": False,
    }  # fmt: skip
    return PolicyRow(id=row_id, **(standing | values))


def test_a_special_policy_asks_for_more_and_never_for_fewer() -> None:
    rows = [
        row(1, checkers=2), row(2, desk_id=7, checkers=1, right="own"), row(3, above=Decimal(10), currency="GBP", checkers=3),
        row(4, above=Decimal(100), currency="GBP", checkers=2, right="high"),
    ]  # fmt: skip
    cases = {
        (None, Decimal(10)): (1, 2), (None, Decimal(11)): (3, 3), (None, Decimal(101)): (4, 3), (7, Decimal(1)): (2, 2),
        (7, Decimal(101)): (2, 3), (8, Decimal(1)): (1, 2), (None, None): (4, 3),
    }  # fmt: skip
    for (desk_id, value), expected in cases.items():
        chosen = choose(rows, desk_id=desk_id, value=value, currency="GBP")
        assert chosen is not None
        assert (chosen.row.id, chosen.checkers) == expected, (desk_id, value)
    assert choose(rows[2:], desk_id=None, value=Decimal(11), currency="GBP") is None
    assert choose([], desk_id=None, value=None, currency="") is None
