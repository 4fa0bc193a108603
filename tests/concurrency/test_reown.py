"""Two successors at once, a fill at once, and a successor cut off at once: each order goes once, and is counted right."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

import pytest

from authorisation.models import User
from authorisation.services.cut_off_user import cut_off_user
from journal.models import Event
from kernel.fix import ExecType, OrdStatus
from orders.models import Order
from orders.services.apply_reports import apply_reports
from orders.services.reown_orders import Reowned
from orders.services.watch_owners import watch_owners
from risk.services.start_counting import start_counting
from tests.concurrency.threads import together
from tests.factories import make_desk
from tests.integration.orders.test_apply_reports import LATER, report, sent
from tests.integration.orders.test_reown_orders import ADMIN, counted_right, cut_off, heir, reown
from tests.integration.orders.test_unmatched import open_anomalies

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_successors_and_fills_at_once() -> None:
    world = make_desk()
    one, other = heir(world, "one"), heir(world, "other")
    start_counting(keys=[f"dealer:{who.user_id}" for who in (world.dealer, one, other)], at=LATER)
    orders = [sent(world, f"k{n}") for n in range(6)]
    cut_off(world.dealer)
    fills = [
        report(
            order, n, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=Decimal(100), last_px=Decimal("72.50"),
            venue_order_id=f"V{n}",
        )
        for n, order in enumerate(orders, 1)
    ]  # fmt: skip
    works: list[Callable[[], object]] = [partial(reown, world.dealer, one), partial(reown, world.dealer, other)]
    works += [partial(apply_reports, reports=[fill], at=LATER) for fill in fills]
    first, second, *_ = together(works)
    assert isinstance(first, Reowned)
    assert isinstance(second, Reowned)
    assert first.moved + second.moved == 6
    assert Event.objects.filter(kind="OrderReowned").count() == 6
    assert set(Order.objects.values_list("owner_id", flat=True)) <= {one.user_id, other.user_id}
    assert set(Order.objects.values_list("cum_qty", flat=True)) == {Decimal(100)}
    assert counted_right()


def test_a_successor_who_is_cut_off_at_once_leaves_no_order_unseen() -> None:
    world = make_desk()
    after = heir(world)
    for n in range(3):
        sent(world, f"k{n}")
    cut_off(world.dealer)
    together(
        [
            partial(reown, world.dealer, after),
            partial(cut_off_user, actor=ADMIN, at=LATER, user_id=after.user_id, reason="too"),
        ]
    )
    assert not User.objects.get(pk=after.user_id).is_active
    assert len(set(Order.objects.values_list("owner_id", flat=True))) == 1
    watch_owners(at=LATER)
    assert open_anomalies() == ["ORDERS_OWNER_GONE"]
