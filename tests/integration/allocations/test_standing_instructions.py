"""Where an account's trades settle is two people's word: asked, shown by a dry run, decided, and never for what was sent."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from allocations.domain.standing import StandingTerms
from allocations.models import SettlementInstruction, StandingInstruction
from allocations.services.ask_standing_instruction import ask_standing_instruction
from allocations.services.instruct_settlements import instruct_settlements
from allocations.services.on_allocated_settle import handle
from allocations.services.set_standing_instructions import Setting, set_standing_instructions
from authorisation.domain.principal import Principal, process_principal
from authorisation.models import AuthorisationRequest
from authorisation.selectors import get_request
from authorisation.services.decide_request import Decided
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted, OmsError
from operations.approving import KINDS
from tests.factories import AT, DeskWorld, make_desk
from tests.factories.allocations import booked_block, leave_at_once

pytestmark = pytest.mark.django_db
TERMS = StandingTerms("", "GBP", "CRSTGB22", "HARBGB2L", "SAFE-1", "CASH-1", date(2026, 11, 1))
SETTLEMENT = process_principal("settlement")


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def keeper(world: DeskWorld, *, second: bool = False) -> Principal:
    who = world.checker if second else world.dealer
    return replace(who, rights=frozenset({"work_post_trade", "decide_post_trade"}))


def ask(world: DeskWorld, terms: StandingTerms = TERMS, **changes: Any) -> UUID:
    given: dict[str, Any] = {
        "actor": keeper(world), "at": AT, "idempotency_key": "s1", "account_id": world.account.id, "terms": terms,
        "reason": "New custodian",
    } | changes  # fmt: skip
    return ask_standing_instruction(**given)


def decide(world: DeskWorld, request_id: UUID, verdict: str = "approve", **changes: Any) -> Decided:
    row = AuthorisationRequest.objects.get(pk=request_id)
    given: dict[str, Any] = {
        "actor": keeper(world, second=True), "at": AT, "authorisation_id": request_id, "verdict": verdict,
        "reason_code": "OTHER", "reason": "x", "payload_hash": row.payload_hash,
    } | changes  # fmt: skip
    result = KINDS[row.kind].decide(**given)
    assert isinstance(result, Decided)
    return result


def set_of(world: DeskWorld) -> list[tuple[int, str, bool]]:
    rows = StandingInstruction.objects.filter(account=world.account).order_by("version")
    return [(row.version, row.agent, row.ended) for row in rows]


def test_it_is_set_by_a_second_person_and_what_was_sent_stays(world: DeskWorld) -> None:
    set_standing_instructions(actor=SETTLEMENT, at=AT, settings=[Setting(world.account.id, TERMS)])
    leave_at_once()
    made = booked_block(world, [(world.account, 100)])
    handle(made.events)
    instruct_settlements(at=AT)

    request_id = ask(world, replace(TERMS, agent="NEWCGB2L"))
    assert ask(world, replace(TERMS, agent="NEWCGB2L")) == request_id  # the same key asks once
    assert set_of(world) == [(1, "HARBGB2L", False)]
    describe = KINDS["standing_instruction"].describe
    assert describe is not None
    effect = describe(keeper(world, second=True), get_request(keeper(world, second=True), request_id, at=AT).facts, AT)
    assert (effect.lines[0].now, effect.lines[0].then, effect.obstacle) == ("HARBGB2L", "NEWCGB2L", "")
    decided = decide(world, request_id)
    assert decided.outcome == "applied"
    assert decided.sentence.endswith("instructions were sent to somewhere else and stay there: S1000-1.")
    assert set_of(world) == [(1, "HARBGB2L", False), (2, "NEWCGB2L", False)]
    assert SettlementInstruction.objects.get(standing__agent="HARBGB2L").ref == "S1000-1"
    event = Event.objects.get(kind="StandingInstructionSet", payload__version=2)
    assert (event.payload["request_id"], event.payload["terms"]["agent"]) == (str(request_id), "NEWCGB2L")


def test_two_asked_at_once_and_the_second_is_not_applied(world: DeskWorld) -> None:
    first, second = ask(world), ask(world, replace(TERMS, agent="NEWCGB2L"), idempotency_key="s2")
    assert decide(world, first).outcome == "applied"
    assert decide(world, second).outcome == "not_applied"
    ended = ask(world, replace(TERMS, ended=True), idempotency_key="s3")
    assert decide(world, ended, "decline").outcome == "declined"
    assert decide(world, ask(world, replace(TERMS, ended=True), idempotency_key="s4")).outcome == "applied"
    assert set_of(world) == [(1, "HARBGB2L", False), (2, "HARBGB2L", True)]


@pytest.mark.parametrize(
    ("changes", "error", "code"),
    [
        ({"actor": None}, NotPermitted, "RIGHT_MISSING"),
        ({"account_id": UUID(int=7)}, NotFound, "ACCOUNT_UNKNOWN"),
        ({"terms": replace(TERMS, agent="NOT A BIC")}, Invalid, "SSI_INVALID"),
        ({"terms": replace(TERMS, currency="GBX")}, Invalid, "SSI_INVALID"),
        ({"terms": replace(TERMS, mic="LONDON")}, Invalid, "SSI_INVALID"),
        ({"terms": replace(TERMS, cash_account="")}, Invalid, "SSI_INVALID"),
        ({"terms": replace(TERMS, effective_to=date(2026, 10, 31))}, Invalid, "SSI_INVALID"),
        ({"reason": " "}, Invalid, "REASON_MISSING"),
    ],
)
def test_what_cannot_be_asked(world: DeskWorld, changes: dict[str, Any], error: type[OmsError], code: str) -> None:
    if "actor" in changes:
        changes = {"actor": replace(world.dealer, rights=frozenset())}
    with pytest.raises(error) as caught:
        ask(world, **changes)
    assert caught.value.code == code
    assert not AuthorisationRequest.objects.exists()


def test_nobody_decides_alone_without_the_right_or_by_passing_the_request(world: DeskWorld) -> None:
    request_id = ask(world)
    for actor, error in (
        (keeper(world), NotPermitted),
        (replace(world.checker, rights=frozenset({"release_order"})), NotPermitted),
    ):
        with pytest.raises(error):
            decide(world, request_id, actor=actor)
    with pytest.raises(NotPermitted):
        set_standing_instructions(actor=keeper(world), at=AT, settings=[Setting(world.account.id, TERMS)])
    with pytest.raises(Conflict):
        decide(world, request_id, payload_hash="0" * 64)
    assert set_of(world) == []
