"""A cancel goes out at once; somebody else's, of some size, is looked at afterwards, and the review touches nothing."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from authorisation.domain.principal import process_principal
from authorisation.models import AuthorisationRequest
from authorisation.services.decide_request import Decided
from authorisation.services.withdraw_request import withdraw_request
from journal.models import Event
from kernel.errors import NotFound, NotPermitted
from orders.models import Order, OrderRequest
from orders.services import _cancel_review
from orders.services.cancel_order import cancel_order
from orders.services.decide_cancel_review import decide_cancel_review
from orders.services.lapse_order_requests import lapse_order_requests
from tests.factories import AT, DeskWorld, make_desk, make_principal
from tests.integration.orders.test_apply_reports import LATER, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> DeskWorld:
    monkeypatch.setattr(_cancel_review, "REVIEWED_FROM", Decimal(725))
    return make_desk()


def cancel(world: DeskWorld, **changes: Any) -> str:
    order = sent(world)
    given: dict[str, Any] = {
        "actor": world.checker, "at": LATER, "idempotency_key": "c", "route": "ticket", "order_id": order.order_id,
        "reason": "Client asked",
    } | changes  # fmt: skip
    return cancel_order(**given).outcome


def second(world: DeskWorld, **changes: Any) -> Any:
    return make_principal(
        "second", role="heads", rights=("release_order",), desks=(world.desk,), groups=(world.group,), **changes
    )


def decide(world: DeskWorld, verdict: str, actor: Any = None) -> Decided:
    row = AuthorisationRequest.objects.get()
    return decide_cancel_review(
        actor=actor or second(world), at=LATER, authorisation_id=row.id, verdict=verdict, reason_code="OTHER",
        reason="Nobody called", payload_hash=row.payload_hash,
    )  # fmt: skip


def test_the_cancel_is_on_its_way_before_anybody_looks(world: DeskWorld) -> None:
    assert cancel(world) == "released"
    row = AuthorisationRequest.objects.get()
    assert (row.kind, row.maker_id, row.value, row.currency, row.desk_id) == (
        "cancel_review", world.checker.user_id, Decimal(725), "GBP", world.desk.pk,
    )  # fmt: skip
    assert row.subject_id == str(OrderRequest.objects.get(kind="cancel").id)
    before = list(Order.objects.values()), list(OrderRequest.objects.values())
    assert decide(world, "approve").outcome == "applied"
    assert (list(Order.objects.values()), list(OrderRequest.objects.values())) == before


@pytest.mark.parametrize("who", ["owner", "process", "small"])
def test_ones_own_the_houses_and_small_ones_are_not_looked_at(
    world: DeskWorld, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    actor = {"owner": world.dealer, "process": process_principal("sweep")}.get(who, world.checker)
    if who == "small":
        monkeypatch.setattr(_cancel_review, "REVIEWED_FROM", Decimal("725.01"))
    assert cancel(world, actor=actor) == "released"
    assert not AuthorisationRequest.objects.exists()


def test_a_wrong_cancel_is_a_matter_somebody_owns(world: DeskWorld) -> None:
    cancel(world)
    orders = list(OrderRequest.objects.values())
    assert decide(world, "decline").sentence.endswith("it stays as it is at the venue.")
    told = Event.objects.get(kind="AnomalyRaised").payload
    assert told["kind"] == "CANCEL_QUESTIONED"
    assert told["sentence"].endswith("by checker-EQ1 wrong: Nobody called")
    assert list(OrderRequest.objects.values()) == orders


def test_so_is_one_that_nobody_looked_at(world: DeskWorld) -> None:
    cancel(world)
    assert lapse_order_requests(at=LATER + timedelta(days=3)) == 1
    assert AuthorisationRequest.objects.get().state == "lapsed"
    assert Event.objects.get(kind="AnomalyRaised").payload["kind"] == "CANCEL_UNREVIEWED"


def test_who_canceled_neither_decides_nor_takes_the_question_back(world: DeskWorld) -> None:
    cancel(world)
    with pytest.raises(NotPermitted) as own:
        decide(world, "approve", world.checker)
    with pytest.raises(NotPermitted) as back:
        withdraw_request(actor=world.checker, at=AT, authorisation_id=AuthorisationRequest.objects.get().id)
    assert (own.value.code, back.value.code) == ("SELF_APPROVAL", "REVIEW_STAYS")
    with pytest.raises(NotFound):
        decide(world, "approve", make_principal("far", role="far", rights=("release_order",), desks=(world.desk,)))
    assert AuthorisationRequest.objects.get().state == "pending"
