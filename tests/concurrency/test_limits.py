"""Orders of different accounts at the same moment under one mark: never more than it allows, never less, no deadlock."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from kernel.ids import new_id
from orders.domain.results import CaptureResult
from orders.models import Order
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from risk.models import LimitUsage
from risk.services.start_counting import start_counting
from tests.concurrency.threads import together
from tests.factories import AT, DeskWorld, make_account, make_desk, set_mark, terms

pytestmark = pytest.mark.django_db(transaction=True)
VALUE = Decimal("725.00")


@pytest.fixture
def world() -> DeskWorld:
    desk = make_desk()
    for number in range(8):
        make_account(f"L-{number}", group=desk.group)
    return desk


def capture(world: DeskWorld, number: int, **changes: Any) -> CaptureResult:
    return capture_order(
        actor=world.dealer, at=AT, idempotency_key=str(new_id()), route="api",
        terms=terms(world, account=f"L-{number}", **changes), source="api",
    )  # fmt: skip


def firm() -> LimitUsage:
    return LimitUsage.objects.get(key="firm:")


def test_orders_of_different_accounts_cannot_take_the_last_of_a_limit_together(world: DeskWorld) -> None:
    set_mark("open_notional", str(3 * VALUE))
    results = together([partial(capture, world, number) for number in range(8)])
    assert sorted(result.outcome for result in results) == ["refused"] * 5 + ["released"] * 3, results
    assert (firm().open_orders, firm().open_buy) == (3, 3 * VALUE)


def test_many_at_once_under_a_wide_limit_all_pass_and_all_count(world: DeskWorld) -> None:
    set_mark("open_notional", "1000000")
    set_mark("open_orders", "1000", scope="desk", scope_id=world.desk.pk)
    results = together([partial(capture, world, number) for number in range(8)] * 2)
    assert {result.outcome for result in results} == {"released"}, results
    assert (firm().open_orders, firm().open_buy, firm().version) == (16, 16 * VALUE, 16)


def test_a_batch_and_single_orders_share_a_limit(world: DeskWorld) -> None:
    set_mark("open_orders", "6")

    def batch() -> Any:
        rows = [(str(n), terms(world, account=f"L-{n}")) for n in range(4)]
        return capture_orders(
            actor=world.dealer, at=AT, idempotency_key=str(new_id()), route="batch", rows=rows, source="api"
        )

    together([batch, *(partial(capture, world, number) for number in range(4, 8))])
    assert Order.objects.filter(is_open=True).count() == 6 == firm().open_orders


def test_cancels_give_back_while_others_take(world: DeskWorld) -> None:
    set_mark("open_orders", "1000")
    orders = [capture(world, number).order_id for number in range(4)]

    def cancel(order_id: Any) -> Any:
        return cancel_order(
            actor=world.dealer, at=AT, idempotency_key=str(new_id()), route="api", order_id=order_id, reason=""
        )

    results = together(
        [*(partial(cancel, order_id) for order_id in orders), *(partial(capture, world, n) for n in range(4, 8))]
    )
    assert not [result for result in results if isinstance(result, Exception)], results
    assert firm().open_orders == 4 == Order.objects.filter(is_open=True).count()


def test_counting_that_begins_while_orders_come_misses_none(world: DeskWorld) -> None:
    begin = partial(start_counting, keys=["firm:"], at=AT)
    results = together([*(partial(capture, world, number) for number in range(6)), begin])
    assert not [result for result in results if isinstance(result, Exception)], results
    assert (firm().open_orders, firm().open_buy) == (6, 6 * VALUE)
