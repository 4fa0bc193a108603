"""Two sweepers, and a cancel against a sweeper, at once: entered once or taken back, never both."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pytest

from accounts.models import CashBalance
from kernel.fix import ExecType, OrdStatus
from orders.domain.results import CaptureResult, RequestResult
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.services.apply_reports import apply_reports
from orders.services.cancel_order import cancel_order
from orders.services.enter_staged import enter_staged
from orders.services.record_hand_over import record_hand_over
from orders.services.replay_orders import replay_orders
from orders.services.stage_replace import stage_replace
from tests.concurrency.threads import together
from tests.factories import DeskWorld, make_desk
from tests.integration.orders.test_apply_reports import LATER, report, sent

pytestmark = pytest.mark.django_db(transaction=True)


def proven(world: DeskWorld, key: str) -> CaptureResult:
    """A staged replace whose order is canceled and not entered anew yet."""
    order = sent(world, key=key)
    stage_replace(
        actor=world.dealer, at=LATER, idempotency_key=f"{key}:s", route="ticket", order_id=order.order_id,
        terms=ReplaceTerms(price=Decimal("72.40")),
    )  # fmt: skip
    cancel = OrderRequest.objects.get(order_id=order.order_id, kind="cancel")
    record_hand_over(request_ids=[cancel.id], at=LATER)
    gone = report(
        order, 1, ExecType.CANCELED, OrdStatus.CANCELED, cum_qty=Decimal(0), identity=key, venue_order_id=f"V{key}"
    )
    apply_reports(reports=[gone], at=LATER)
    return order


def test_two_sweepers_enter_it_once() -> None:
    order = proven(make_desk(), "k1")
    assert sorted(together([partial(enter_staged, at=LATER)] * 2)) == [0, 1]
    assert Order.objects.filter(replaces_id=order.order_id).count() == 1
    assert CashBalance.objects.get().reserved == Decimal("724.00")


def test_a_cancel_and_a_sweeper_at_once_do_one_of_the_two() -> None:
    world = make_desk()
    for n in range(4):
        order = proven(world, f"k{n}")
        cancel = partial(
            cancel_order, actor=world.dealer, at=LATER, idempotency_key=f"c{n}", route="t", order_id=order.order_id,
            reason="Enough.",
        )  # fmt: skip
        answer, entered = together([cancel, partial(enter_staged, at=LATER)])
        taken_back = isinstance(answer, RequestResult)
        assert taken_back or answer.code == "ORDER_CLOSED"
        assert (entered, Order.objects.filter(replaces_id=order.order_id).count()) == (int(not taken_back),) * 2
        state = OrderRequest.objects.get(order_id=order.order_id, kind="replace").state
        assert state == ("withdrawn" if taken_back else "accepted")
    open_orders = Order.objects.filter(is_open=True).count()
    assert CashBalance.objects.get().reserved == open_orders * Decimal("724.00")
    assert replay_orders(order_ids=list(Order.objects.values_list("id", flat=True))).differences == []
