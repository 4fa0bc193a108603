"""Holds and rules from what people type to what a second person sees and does."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from authorisation.domain.principal import Principal
from authorisation.selectors import get_request
from authorisation.services.raise_request import RaisedRequest
from journal.models import LegalHold
from journal.selectors.retention import kept_days
from journal.services.set_retention import set_retention
from kernel.clock import utc_now
from kernel.errors import Conflict, Invalid, NotPermitted
from operations.selectors.retention import (
    describe_hold_release,
    describe_retention_change,
    get_retention_page,
    words_of_what_is_gone,
)
from operations.services.ask_hold_release import ask_hold_release
from operations.services.ask_retention_change import ask_retention_change
from operations.services.decide_hold_release import decide_hold_release
from operations.services.decide_retention_change import decide_retention_change
from operations.services.place_legal_hold import place_legal_hold
from operations.views.retention import read_hold
from tests.factories import make_principal
from tests.factories.trading import Desk

pytestmark = pytest.mark.django_db
TYPED = {"matter": "FCA 7", "reason": "asked for", "subject_kind": "everything", "from_at": "2026-01-05"}


def keeper(name: str) -> Principal:
    return make_principal(name, role=name, rights=("keep_records",))


def place(actor: Principal, **typed: str) -> LegalHold:
    hold_id = place_legal_hold(actor=actor, at=utc_now(), hold=read_hold(TYPED | typed))
    return LegalHold.objects.get(id=hold_id)


def decide(service: Any, actor: Principal, raised: RaisedRequest, verdict: str = "approve") -> Any:
    return service(
        actor=actor,
        at=utc_now(),
        authorisation_id=raised.id,
        verdict=verdict,
        reason_code="other" if verdict == "decline" else "",
        reason="no" if verdict == "decline" else "",
        payload_hash=raised.payload_hash,
    )


def test_an_order_narrows_the_hold_to_its_symbol_if_one_may_see_it() -> None:
    desk = Desk()
    actor = replace(desk.world.dealer, rights=frozenset({"keep_records"}))
    order = desk.buy()
    made = place(actor, subject_kind="order", subject=order.ref)
    assert (made.symbols, made.from_at) == (["VOD.L"], datetime(2026, 1, 5, tzinfo=UTC))
    with pytest.raises(Invalid, match="HOLD_INVALID"):
        place(keeper("elsewhere"), subject_kind="order", subject=order.ref)
    assert place(actor, subject_kind="instrument", subject="VOD.L").symbols == ["VOD.L"]
    assert place(actor, subject_kind="account", subject="AC1").symbols == []


@pytest.mark.parametrize(
    "typed",
    [
        {"matter": " "},
        {"reason": ""},
        {"subject_kind": "x"},
        {"subject_kind": "person"},
        {"subject_kind": "instrument", "subject": "NONE"},
        {"from_at": ""},
        {"from_at": "yesterday"},
        {"to_at": "2026-01-05"},
    ],
    ids=str,
)
def test_a_hold_that_says_too_little_is_refused_whole(typed: dict[str, str]) -> None:
    with pytest.raises(Invalid) as refused:
        place(keeper("one"), **typed)
    assert refused.value.fields
    assert LegalHold.objects.count() == 0


def test_only_who_keeps_records_may() -> None:
    stranger = make_principal("stranger", role="dealer", rights=("enter_order",))
    with pytest.raises(NotPermitted):
        place(stranger)
    made = place(keeper("one"))
    with pytest.raises(NotPermitted):
        ask_hold_release(actor=stranger, at=utc_now(), hold_id=made.id, reason="x")
    with pytest.raises(NotPermitted):
        ask_retention_change(actor=stranger, at=utc_now(), record_class="price_ticks", days=30, reason="x")


def test_a_hold_is_let_go_by_two() -> None:
    maker, checker = keeper("one"), keeper("two")
    made = place(maker)
    raised = ask_hold_release(actor=maker, at=utc_now(), hold_id=made.id, reason="settled")
    with pytest.raises(Conflict, match="HOLD_RELEASE_ASKED"):
        ask_hold_release(actor=checker, at=utc_now(), hold_id=made.id, reason="settled")
    with pytest.raises(NotPermitted, match="SELF_APPROVAL"):
        decide(decide_hold_release, maker, raised)
    facts = get_request(checker, raised.id, at=utc_now()).facts
    effect = describe_hold_release(checker, facts, utc_now())
    assert (effect.lines[0].then, effect.button) == ("nothing", "release the hold of matter FCA 7")
    assert get_retention_page(at=utc_now()).holds[0].waits == str(raised.id)
    assert decide(decide_hold_release, checker, raised, "decline").outcome == "declined"
    raised = ask_hold_release(actor=maker, at=utc_now(), hold_id=made.id, reason="settled")
    assert decide(decide_hold_release, checker, raised).outcome == "applied"
    made.refresh_from_db()
    assert (made.state, made.released_by) == ("released", checker.actor)
    with pytest.raises(Conflict, match="HOLD_RELEASED"):
        ask_hold_release(actor=maker, at=utc_now(), hold_id=made.id, reason="again")


def test_how_long_is_changed_by_two_and_not_when_it_moved_meanwhile() -> None:
    maker, checker = keeper("one"), keeper("two")
    asked: dict[str, Any] = {"actor": maker, "record_class": "price_ticks", "reason": "less room"}
    raised = ask_retention_change(at=utc_now(), days=10, **asked)
    effect = describe_retention_change(checker, get_request(checker, raised.id, at=utc_now()).facts, utc_now())
    assert (effect.lines[0].now, effect.lines[0].then, len(effect.warnings)) == ("14 days", "10 days", 1)
    with pytest.raises(Conflict, match="RETENTION_ASKED"):
        ask_retention_change(at=utc_now(), days=11, **asked)
    assert decide(decide_retention_change, checker, raised).outcome == "applied"
    assert kept_days("price_ticks", at=utc_now()) == 10
    assert any("10 days" in sentence for sentence in words_of_what_is_gone(at=utc_now()))
    raised = ask_retention_change(at=utc_now(), days=20, **asked)
    set_retention(actor="user:9", at=utc_now(), record_class="price_ticks", kept_days=12, reason="r", asked_by="user:8")
    assert decide(decide_retention_change, checker, raised).outcome == "not_applied"
    assert kept_days("price_ticks", at=utc_now()) == 12
