"""Tolerances, terms and accepted differences: asked by one, decided by another, bound to what was asked."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from allocations.models import Confirmation, CounterpartyTerms, MatchTolerance
from allocations.selectors.confirm_rules import list_terms, list_tolerances
from allocations.services._acting import Acted
from allocations.services.accept_mismatch import accept_mismatch
from allocations.services.ask_confirm_rule import ask_confirm_rule
from allocations.services.decide_post_trade_rules import decide_post_trade_rules
from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from authorisation.selectors.requests import facts_of
from authorisation.services.decide_request import Decided
from journal.models import Event
from kernel.errors import Invalid, NotPermitted, OmsError
from kernel.post_trade import AckStatus, MessageKind
from operations.selectors.post_trade_rules import describe_post_trade_rules
from tests.factories import AT, DeskWorld, make_desk, make_principal
from tests.factories.confirming import agree, anomalies, confirming_world, their_confirmation

pytestmark = pytest.mark.django_db
NET = {"counterparty": "T1", "field": "net", "currency": "GBP", "amount": "0.05", "bps": ""}


def person(world: DeskWorld, name: str, right: str) -> Principal:
    return make_principal(
        name, role=name, rights=(right,), desks=(world.desk,), groups=(world.group,), persona="operations"
    )


def ask(actor: Principal, rule: str, said: dict[str, str], key: str = "k", reason: str = "Their rounding") -> Acted:
    return ask_confirm_rule(actor=actor, at=AT, idempotency_key=key, route="test", rule=rule, said=said, reason=reason)


def decide(actor: Principal, asked: Acted, verdict: str = "approve") -> Decided:
    assert asked.authorisation_id is not None
    row = AuthorisationRequest.objects.get(pk=asked.authorisation_id)
    return decide_post_trade_rules(
        actor=actor,
        at=AT,
        authorisation_id=row.id,
        verdict=verdict,
        reason_code="OTHER",
        reason="ok",
        payload_hash=row.payload_hash,
    )


def effect(actor: Principal, asked: Acted) -> Any:
    assert asked.authorisation_id is not None
    return describe_post_trade_rules(actor, facts_of(AuthorisationRequest.objects.get(pk=asked.authorisation_id)), AT)


def refused(code: str, call: Any) -> None:
    before = Event.objects.count()
    with pytest.raises(OmsError) as told:
        call()
    assert (told.value.code, Event.objects.count()) == (code, before)


def test_a_tolerance_is_a_version_that_two_people_made() -> None:
    world = make_desk()
    ops, checker = person(world, "ops", "work_post_trade"), person(world, "chk", "decide_post_trade")
    refused("RIGHT_MISSING", lambda: ask(world.dealer, "tolerance", NET))
    asked = ask(ops, "tolerance", NET)
    assert MatchTolerance.objects.count() == 0
    refused("CHANGE_PENDING", lambda: ask(ops, "tolerance", NET | {"amount": "0.06"}, key="l"))
    shown = effect(checker, asked)
    assert [(line.label, line.now, line.then) for line in shown.fields] == [
        ("Amount", "nothing laid down", "0.05"), ("Bps", "nothing laid down", "0"), ("Auto affirm", "nothing laid down", "no"),
    ]  # fmt: skip
    with pytest.raises(NotPermitted):
        decide(ops, asked)
    assert decide(checker, asked).outcome == "applied"
    (row,) = list_tolerances()
    assert (row.counterparty, row.field, row.currency, str(row.amount), row.version, row.request_id) == (
        "T1", "net", "GBP", "0.05000000", 1, asked.authorisation_id,
    )  # fmt: skip
    refused("RULE_UNCHANGED", lambda: ask(ops, "tolerance", NET, key="m"))
    # Two requests could only meet where the rule moved in between: then the later is not applied.
    later = ask(ops, "tolerance", NET | {"amount": "0.07"}, key="n")
    MatchTolerance.objects.create(
        counterparty="T1", field="net", currency="GBP", amount=1, version=2, event_id=UUID(int=1), recorded_at=AT
    )
    assert effect(checker, later).obstacle
    assert decide(checker, later).outcome == "not_applied"
    assert [str(one.amount) for one in list_tolerances()] == ["1.00000000"]
    declined = ask(ops, "tolerance", NET | {"amount": "0.08"}, key="o")
    assert decide(checker, declined, "decline").outcome == "declined"
    assert MatchTolerance.objects.count() == 2


def test_terms_change_what_is_confirmed_from_then_on() -> None:
    world = make_desk()
    ops, checker = person(world, "ops", "work_post_trade"), person(world, "chk", "decide_post_trade")
    said = {"counterparty": "T1", "role": "broker", "channel": "fix", "confirms_direct": "yes"}
    assert decide(checker, ask(ops, "counterparty_terms", said)).outcome == "applied"
    (row,) = list_terms()
    assert (row.role, row.channel, row.confirms_direct, row.version) == ("broker", "fix", True, 1)
    assert CounterpartyTerms.objects.count() == 1
    made = confirming_world(desk=world)
    assert made.said[0].kind is MessageKind.ALLOCATION_REPORT


@pytest.mark.parametrize(
    ("rule", "change", "field"),
    [
        ("policy", {}, "rule"),
        ("tolerance", {"field": "colour"}, "field"),
        ("tolerance", {"amount": "-1"}, "amount"),
        ("tolerance", {"amount": "NaN"}, "amount"),
        ("tolerance", {"bps": "1e99"}, "bps"),
        ("tolerance", {"currency": "pounds"}, "currency"),
        ("tolerance", {"counterparty": "<script>"}, "counterparty"),
        ("tolerance", {"field": "*", "auto_affirm": "yes"}, "amount"),
        ("tolerance", {"auto_affirm": "yes"}, "auto_affirm"),
        ("counterparty_terms", {"role": "both", "channel": "fix"}, "role"),
        ("counterparty_terms", {"role": "broker", "channel": "pigeon"}, "channel"),
        ("counterparty_terms", {"counterparty": "", "role": "broker", "channel": "fix"}, "counterparty"),
    ],
)
def test_what_cannot_be_read_is_refused_by_field(rule: str, change: dict[str, str], field: str) -> None:
    ops = Principal(
        user_id=1, username="ops", actor="user:1", persona="operations", rights=frozenset({"work_post_trade"})
    )
    with pytest.raises(Invalid) as told:
        ask(ops, rule, NET | change)
    assert list(told.value.fields) == [field]


def test_a_difference_is_accepted_by_two_and_only_as_it_was_looked_at() -> None:
    world = confirming_world()
    ops, checker = person(world.desk, "ops", "work_post_trade"), person(world.desk, "chk", "decide_post_trade")

    def accept(ref: str, key: str = "k") -> Acted:
        pk = Confirmation.objects.get(ref=ref).id
        return accept_mismatch(
            actor=ops, at=AT, idempotency_key=key, route="test", confirmation_id=pk, reason="They bear the penny"
        )

    refused("CONFIRMATION_STATE", lambda: accept("C-1000-1"))
    net = world.said[0].accounts[0].net
    assert net is not None
    world.hear(their_confirmation(world, 0, net=net + 1), their_confirmation(world, 1, net=net + 2))
    first, second = accept("C-1000-1"), accept("C-1001-1", key="l")
    refused("CHANGE_PENDING", lambda: accept("C-1000-1", key="m"))
    shown = effect(checker, first)
    assert [(line.label, line.now, line.then, line.note) for line in shown.lines] == [
        ("Net amount", "ours 434.7", "theirs 435.7", "differs by 1, allowed 0"), ("Confirmation", "mismatched", "affirmed", ""),
    ]  # fmt: skip
    assert decide(checker, first).outcome == "applied"
    row = Confirmation.objects.get(ref="C-1000-1")
    assert (row.state, row.affirmed_by, row.reason) == (
        "affirmed",
        checker.actor,
        f"Accepted by {checker.username}: They bear the penny",
    )
    assert row.differences == [["net", "434.7", "435.7", "1", "0"]]  # what was accepted stays on record
    assert (world.said[-1].kind, world.said[-1].ref_of, world.said[-1].ack_status) == (
        MessageKind.CONFIRMATION_ACK, "K-0", AckStatus.AFFIRMED,
    )  # fmt: skip
    again = their_confirmation(world, 0, net=net + 1)
    world.hear(again)  # said again as it was accepted: no dispute
    # Theirs says something else of the second by now: what was looked at is gone.
    world.hear(their_confirmation(world, 1, net=net + 5))
    assert effect(checker, second).obstacle
    assert decide(checker, second).outcome == "not_applied"
    assert world.states() == {"C-1000-1": "affirmed", "C-1001-1": "mismatched"}
    assert anomalies() == [("CONFIRMATION_MISMATCH", "raised")]
    agree(role="broker")
    as_broker = confirming_world(desk=world.desk, number=2)
    assert as_broker.states()["C-2000-1"] == "sent"
    refused("BROKER_AFFIRMS_NOT", lambda: accept("C-2000-1", key="n"))
