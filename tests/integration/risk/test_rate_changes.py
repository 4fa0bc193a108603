"""A mark for rates changes by a second person's word alone, as another version that never changes again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from authorisation.services.decide_request import Decided
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotPermitted
from risk.domain.rates import FROM_THE_START, RateKind, RateMark
from risk.models import RateMark as Row
from risk.selectors.rates import get_bucket
from risk.services.decide_rate_change import decide_rate_change
from risk.services.request_rate_change import request_rate_change
from tests.factories import AT, make_desk
from tests.integration.risk.test_kill_switch import ASK, DECIDE, person

pytestmark = pytest.mark.django_db
MARK = RateMark(RateKind.SESSION, amount=50, seconds=1, burst=50, share=20, subject="session:SIM1")


@pytest.fixture
def people() -> tuple[Principal, Principal]:
    world = make_desk()
    return person("asks", world, ASK, DECIDE), person("decides", world, DECIDE)


def ask(actor: Principal, mark: RateMark = MARK, **more: Any) -> AuthorisationRequest:
    asked = request_rate_change(actor=actor, at=AT, mark=mark, **({"reason": "The venue said so"} | more))
    return AuthorisationRequest.objects.get(pk=asked.authorisation_id)


def decide(actor: Principal, asked: AuthorisationRequest, verdict: str = "approve") -> Decided:
    return decide_rate_change(
        actor=actor, at=AT, authorisation_id=asked.pk, verdict=verdict, reason_code="OTHER", reason="seen",
        payload_hash=asked.payload_hash,
    )  # fmt: skip


def holds(at: Any = AT) -> RateMark:
    return get_bucket(kind=RateKind.SESSION, subject="session:SIM1", at=at).mark


def test_asked_approved_and_in_force(people: tuple[Principal, Principal]) -> None:
    maker, checker = people
    asked = ask(maker)
    assert holds() is FROM_THE_START[RateKind.SESSION]
    assert decide(checker, asked).outcome == "applied"
    row = Row.objects.get()
    assert (row.amount, row.burst, row.set_by, row.approved_by, row.effective_from) == (
        50, 50, maker.actor, checker.actor, AT,
    )  # fmt: skip
    assert (holds().words, holds().version) == ("50 a second, 50 at once", row.pk)
    event = Event.objects.get(kind="RateMarkSet")
    assert (event.stream, event.payload["version"], event.payload["set_by"]) == (
        "risk:rates:session", row.pk, maker.actor,
    )  # fmt: skip


def test_a_change_for_later_holds_from_then(people: tuple[Principal, Principal]) -> None:
    maker, checker = people
    tomorrow = AT + timedelta(days=1)
    decide(checker, ask(maker, effective_from=tomorrow))
    assert holds().version == 0
    assert holds(tomorrow).amount == 50


def test_declined_nothing_changes(people: tuple[Principal, Principal]) -> None:
    assert decide(people[1], ask(people[0]), "decline").outcome == "declined"
    assert (Row.objects.count(), holds().version) == (0, 0)


def test_the_maker_does_not_decide_and_one_question_waits_at_a_time(people: tuple[Principal, Principal]) -> None:
    asked = ask(people[0])
    with pytest.raises(NotPermitted, match="SELF_APPROVAL"):
        decide(people[0], asked)
    with pytest.raises(Conflict, match="DECISION_PENDING"):
        ask(people[0])
    assert Row.objects.count() == 0


def test_who_has_no_right_does_not_ask(people: tuple[Principal, Principal]) -> None:
    with pytest.raises(NotPermitted, match="RIGHT_MISSING"):
        ask(people[1])


@pytest.mark.parametrize(
    ("mark", "field"),
    [
        (RateMark(RateKind.USER, amount=0, seconds=1, burst=1), "amount"),
        (RateMark(RateKind.USER, amount=1, seconds=0, burst=1), "seconds"),
        (RateMark(RateKind.USER, amount=1, seconds=1, burst=0), "burst"),
        (RateMark(RateKind.SESSION, amount=1, seconds=1, burst=5, share=100), "share"),
        (RateMark(RateKind.REJECTS, amount=1, seconds=1, share=101), "share"),
        (RateMark(RateKind.KEY, amount=1, seconds=1, burst=1, subject="user:1"), "subject"),
    ],
)
def test_a_mark_that_makes_no_sense(people: tuple[Principal, Principal], mark: RateMark, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        ask(people[0], mark)
    assert field in caught.value.fields
    assert AuthorisationRequest.objects.count() == 0


@pytest.mark.parametrize("change", [lambda rows: rows.update(amount=9), lambda rows: rows.delete()])
def test_a_version_is_never_changed_by_anybody(people: tuple[Principal, Principal], change: Any) -> None:
    decide(people[1], ask(people[0]))
    with pytest.raises(IntegrityError), transaction.atomic():
        change(Row.objects.all())
    assert Row.objects.get().amount == 50
