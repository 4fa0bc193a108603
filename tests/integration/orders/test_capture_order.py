"""One order through ``capture_order``: what is written, what is held, and that a refusal moves nothing."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import CashBalance, Reservation
from journal.models import Event, IdempotencyKey
from orders.models import Order, OrderRequest
from orders.services.capture_order import capture_order
from tests.factories import AT, DeskWorld, make_desk, terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def test_a_good_order_is_released_with_its_cash_held(world: DeskWorld) -> None:
    result = capture_order(
        actor=world.dealer, at=AT, idempotency_key="k1", route="ticket", terms=terms(world), source="ticket"
    )
    assert (result.outcome, result.state, result.replayed) == ("released", "released", False), result.sentence
    assert len(result.checks) == 24
    order = Order.objects.get(id=result.order_id)
    assert (order.ref, order.is_open, order.leaves_qty, order.ord_status) == (result.ref, True, Decimal(1000), None)
    assert CashBalance.objects.get().reserved == Decimal("725.00")
    assert Reservation.objects.get().cash == Decimal("725.00")
    assert list(Event.objects.order_by("seq").values_list("kind", flat=True)) == ["OrderCaptured", "OrderReleased"]
    assert IdempotencyKey.objects.get().status == 201
    assert OrderRequest.objects.get().state == "released"
