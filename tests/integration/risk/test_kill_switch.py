"""Pressing and letting go: who may, of what, what is kept, and that nobody lets go alone."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.db import IntegrityError, transaction

from authorisation.domain.principal import Principal, process_principal
from authorisation.models import AuthorisationRequest, User
from authorisation.services.decide_request import Decided
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted
from risk.models import Block
from risk.services.decide_stop_release import decide_stop_release
from risk.services.engage_kill_switch import PressResult, engage_kill_switch
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block
from risk.services.request_stop_release import request_stop_release
from tests.factories import AT, DeskWorld, make_desk, make_principal

pytestmark = pytest.mark.django_db
PRESS, ASK, DECIDE = "engage_kill_switch", "ask_risk_change", "decide_risk_change"
NOBODY = "0197aa00-0000-7000-8000-000000000000"


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def person(name: str, world: DeskWorld | None, *rights: str) -> Principal:
    """Somebody with these rights who sees the desk, or none."""
    desks, groups = ((world.desk,), (world.group,)) if world else ((), ())
    found = make_principal(name, role=name, rights=(), desks=desks, groups=groups)
    return Principal(
        user_id=found.user_id,
        username=found.username,
        actor=found.actor,
        persona=found.persona,
        rights=frozenset(rights),
        grants=found.grants,
    )


def scopes_of(world: DeskWorld) -> dict[str, str]:
    return {
        "firm": "",
        "desk": str(world.desk.pk),
        "dealer": str(world.dealer.user_id),
        "client": str(world.account.client_id),
        "account": str(world.account.pk),
        "strategy": "VWAP",
        "instrument": str(world.listing.instrument_id),
        "venue": world.listing.market_id,
    }


def press(actor: Principal, scope: str = "firm", scope_id: str = "", reason: str = "Runaway orders") -> PressResult:
    return engage_kill_switch(actor=actor, at=AT, scopes=[(scope, scope_id)], reason=reason)


def decide(actor: Principal, authorisation_id: UUID, verdict: str = "approve") -> Decided:
    asked = AuthorisationRequest.objects.get(id=authorisation_id)
    return decide_stop_release(
        actor=actor, at=AT, authorisation_id=authorisation_id, verdict=verdict, reason_code="OTHER", reason="checked",
        payload_hash=asked.payload_hash,
    )  # fmt: skip


def test_every_kind_of_scope_is_stopped_in_one_step_and_told(world: DeskWorld) -> None:
    head = person("head", world, PRESS)
    for scope, scope_id in scopes_of(world).items():
        result = press(head, scope, scope_id)
        assert (result.drained, result.stops[0].changed) == (True, True)
        block = Block.objects.get(id=result.stops[0].stop_id)
        assert (block.scope, block.scope_id, block.source, block.imposed_by) == (
            scope,
            scope_id,
            "kill_switch",
            head.actor,
        )
    told = Event.objects.filter(kind="KillSwitchEngaged").order_by("position")
    assert [(e.payload["scope"], e.payload["pressed_by"], e.payload["reason"]) for e in told] == [
        (scope, "head", "Runaway orders") for scope in scopes_of(world)
    ]
    raised = Event.objects.filter(kind="AnomalyRaised", payload__kind="KILL_SWITCH_ENGAGED")
    assert {e.payload["severity"] for e in raised} == {"critical"}
    assert raised.count() == 8


def test_pressing_again_adds_nothing_and_overlapping_scopes_each_count(world: DeskWorld) -> None:
    head = person("head", world, PRESS)
    first, again = press(head), press(head, reason="Once more")
    assert (again.stops[0].stop_id, again.stops[0].changed) == (first.stops[0].stop_id, False)
    desk = press(head, "desk", str(world.desk.pk))
    assert desk.stops[0].changed
    assert Block.objects.filter(source="kill_switch", lifted_at=None).count() == 2
    assert Event.objects.filter(kind="KillSwitchEngaged").count() == 2


def test_several_scopes_are_all_stopped_or_none(world: DeskWorld) -> None:
    head = person("head", world, PRESS)
    with pytest.raises(NotFound):
        engage_kill_switch(actor=head, at=AT, scopes=[("firm", ""), ("venue", "XXXX")], reason="x")
    assert Block.objects.filter(source="kill_switch").count() == 0
    both = engage_kill_switch(actor=head, at=AT, scopes=[("firm", ""), ("venue", "XLON"), ("firm", "")], reason="x")
    assert [(one.scope, one.name) for one in both.stops] == [("firm", "the whole firm"), ("venue", "venue XLON")]


@pytest.mark.parametrize(
    ("scope", "scope_id", "code"),
    [
        ("floor", "1", "SCOPE_INVALID"),
        ("firm", "1", "SCOPE_INVALID"),
        ("desk", "", "SCOPE_INVALID"),
        ("desk", "EQ1", "SCOPE_UNKNOWN"),
        ("desk", "999999", "SCOPE_UNKNOWN"),
        ("dealer", "999999", "SCOPE_UNKNOWN"),
        ("account", NOBODY, "SCOPE_UNKNOWN"),
        ("client", "no-uuid", "SCOPE_UNKNOWN"),
        ("instrument", NOBODY, "SCOPE_UNKNOWN"),
        ("venue", "xlon", "SCOPE_UNKNOWN"),
        ("strategy", "x" * 41, "SCOPE_UNKNOWN"),
    ],
)
def test_a_wrong_scope_is_said_and_nothing_is_done(world: DeskWorld, scope: str, scope_id: str, code: str) -> None:
    with pytest.raises((Invalid, NotFound)) as refused:
        press(person("head", world, PRESS), scope, scope_id)
    assert refused.value.code == code
    assert not Block.objects.filter(source="kill_switch").exists()


def test_without_the_right_or_a_reason_nothing_is_done(world: DeskWorld) -> None:
    with pytest.raises(NotPermitted, match="may not press"):
        press(person("viewer", world))
    for reason in ("", "  ", "x" * 501):
        with pytest.raises(Invalid) as refused:
            press(person(f"head{len(reason)}", world, PRESS), reason=reason)
        assert refused.value.code == "REASON_INVALID"
    assert not Block.objects.filter(source="kill_switch").exists()


@pytest.mark.parametrize("scope", ["desk", "dealer", "client", "account"])
def test_what_one_does_not_see_one_does_not_stop_but_the_firm_anybody_with_the_right(
    world: DeskWorld, scope: str
) -> None:
    stranger = person("stranger", None, PRESS)
    if scope == "dealer":
        User.objects.filter(pk=world.dealer.user_id).update(desk=world.desk)
    with pytest.raises(NotFound) as refused:
        press(stranger, scope, scopes_of(world)[scope])
    assert refused.value.code == "SCOPE_UNKNOWN"
    assert press(stranger).stops[0].changed
    assert press(stranger, "venue", "XLON").stops[0].changed


def test_who_pressed_asks_and_another_of_risk_lets_go(world: DeskWorld) -> None:
    head, risk = person("head", world, PRESS), person("risk", world, PRESS, ASK, DECIDE)
    stop_id = press(head).stops[0].stop_id
    asked = request_stop_release(actor=head, at=AT, stop_id=stop_id, reason="Cause found")
    assert Block.objects.get(id=stop_id).lifted_at is None
    with pytest.raises(Conflict) as twice:
        request_stop_release(actor=risk, at=AT, stop_id=stop_id, reason="me too")
    assert twice.value.code == "DECISION_PENDING"
    assert decide(risk, asked.authorisation_id).outcome == "applied"
    block = Block.objects.get(id=stop_id)
    assert (block.lifted_by, block.lifted_at) == (risk.actor, AT)
    assert Event.objects.get(kind="KillSwitchReleased").payload["reason"] == "Cause found"
    assert Event.objects.filter(kind="AnomalyCleared", payload__kind="KILL_SWITCH_ENGAGED").count() == 1


def test_who_pressed_does_not_let_go_whoever_asks(world: DeskWorld) -> None:
    risk, other = person("risk", world, PRESS, ASK, DECIDE), person("other", world, ASK)
    stop_id = press(risk).stops[0].stop_id
    asked = request_stop_release(actor=other, at=AT, stop_id=stop_id, reason="Cause found")
    with pytest.raises(NotPermitted) as refused:
        decide(risk, asked.authorisation_id)
    assert refused.value.code == "PRESSED_IT"
    assert Block.objects.get(id=stop_id).lifted_at is None
    assert AuthorisationRequest.objects.get(id=asked.authorisation_id).state == "pending"
    assert decide(risk, asked.authorisation_id, "decline").outcome == "declined"


def test_who_asks_does_not_decide_and_who_decides_is_of_risk_or_compliance(world: DeskWorld) -> None:
    head, risk = person("head", world, PRESS, ASK), person("risk", world, ASK, DECIDE)
    asked = request_stop_release(actor=risk, at=AT, stop_id=press(head).stops[0].stop_id, reason="Cause found")
    with pytest.raises(NotPermitted) as refused:
        decide(risk, asked.authorisation_id)
    assert refused.value.code == "SELF_APPROVAL"
    with pytest.raises(NotFound):
        decide(person("desk-head", world, PRESS, ASK), asked.authorisation_id)
    assert Block.objects.filter(source="kill_switch", lifted_at=None).count() == 1


def test_a_release_declined_leaves_it_and_it_may_be_asked_again(world: DeskWorld) -> None:
    head, risk = person("head", world, PRESS), person("risk", world, DECIDE)
    stop_id = press(head).stops[0].stop_id
    asked = request_stop_release(actor=head, at=AT, stop_id=stop_id, reason="Cause found")
    assert decide(risk, asked.authorisation_id, "decline").outcome == "declined"
    assert Block.objects.get(id=stop_id).lifted_at is None
    again = request_stop_release(actor=head, at=AT, stop_id=stop_id, reason="Really")
    assert decide(risk, again.authorisation_id).outcome == "applied"
    with pytest.raises(NotFound):
        request_stop_release(actor=head, at=AT, stop_id=stop_id, reason="again")
    assert press(head).stops[0].stop_id != stop_id


def test_the_doors_of_blocks_neither_press_nor_let_go(world: DeskWorld) -> None:
    stop_id = press(person("head", world, PRESS)).stops[0].stop_id
    process = process_principal("recovery")
    for service in (impose_block, lift_block):
        with pytest.raises(Invalid):
            service(actor=process, at=AT, scope="firm", scope_id="", source="kill_switch", reason="x")
    with pytest.raises(NotFound):
        request_stop_release(
            actor=person("head2", world, PRESS), at=AT, reason="x",
            stop_id=impose_block(actor=process, at=AT, scope="firm", scope_id="", source="recovery:X", reason="x").block_id,
        )  # fmt: skip
    assert Block.objects.get(id=stop_id).lifted_at is None


def test_the_database_knows_no_release_by_who_pressed(world: DeskWorld) -> None:
    head = person("head", world, PRESS)
    press(head)
    with pytest.raises(IntegrityError, match="released_by_another"), transaction.atomic():
        Block.objects.filter(source="kill_switch").update(lifted_at=AT, lifted_by=head.actor)
