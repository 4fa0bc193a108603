"""Captures at the same moment, on real connections: one order for one key, and no cash or stock spent twice."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from accounts.models import CashBalance, Holding, Reservation, TradingAccount
from journal.models import Event
from kernel.errors import Conflict
from kernel.fix import Side
from orders.domain.results import CaptureResult
from orders.models import Order, OrderRequest
from orders.selectors.locates import list_locates
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from tests.concurrency.threads import together
from tests.factories import AT, DeskWorld, give_stock, make_desk, terms
from tests.factories.accounts import located

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def at_once(count: int, work: Callable[[int], Any]) -> list[Any]:
    """Run ``work(n)`` so many times together; results or exceptions, by n."""
    return together([partial(work, number) for number in range(count)])


def capture(world: DeskWorld, key: str, **changes: Any) -> CaptureResult:
    return capture_order(
        actor=world.dealer, at=AT, idempotency_key=key, route="api", terms=terms(world, **changes), source="api"
    )


def test_fifty_equal_submissions_make_one_order(world: DeskWorld) -> None:
    results = at_once(50, lambda _: capture(world, "same"))
    assert all(isinstance(result, CaptureResult) for result in results), results
    assert len({result.order_id for result in results}) == 1
    assert sum(not result.replayed for result in results) == 1
    assert (Order.objects.count(), OrderRequest.objects.count(), Event.objects.count()) == (1, 1, 2)
    assert CashBalance.objects.get().reserved == Decimal("725.00")


def test_one_key_with_two_contents_keeps_one_and_refuses_the_other(world: DeskWorld) -> None:
    results = at_once(8, lambda n: capture(world, "same", order_qty=Decimal(1000 + 1000 * (n % 2))))
    kept = [result for result in results if isinstance(result, CaptureResult)]
    assert len({result.order_id for result in kept}) == 1
    assert {error.code for error in results if isinstance(error, Conflict)} == {"IDEMPOTENCY_CONFLICT"}
    assert Order.objects.count() == 1


def test_two_orders_cannot_spend_the_same_cash(world: DeskWorld) -> None:
    CashBalance.objects.update(settled=Decimal("1000"))
    results = at_once(6, lambda n: capture(world, f"k{n}"))
    assert sorted(result.outcome for result in results) == ["refused"] * 5 + ["released"]
    assert CashBalance.objects.get().reserved == Decimal("725.00")
    assert Reservation.objects.count() == 1


def test_two_orders_cannot_sell_the_same_stock(world: DeskWorld) -> None:
    give_stock(world.account, world.listing, "1500")
    results = at_once(4, lambda n: capture(world, f"k{n}", side=Side.SELL))
    assert sorted(result.outcome for result in results) == ["refused"] * 3 + ["released"]
    assert Holding.objects.get().reserved == Decimal(1000)


@pytest.mark.parametrize("pays_in", ["GBP", "EUR"])
def test_two_short_sales_cannot_use_the_same_locate(world: DeskWorld, pays_in: str) -> None:
    """Also where the account has no balance in the listing's currency, so that the capture itself would lock nothing."""
    TradingAccount.objects.filter(id=world.account.id).update(short_allowed=True, opens_currencies=True)
    CashBalance.objects.update(currency=pays_in)
    located(world.account, world.listing.instrument_id, "1500", at=AT)
    sale = {"side": Side.SELL_SHORT, "locate_ref": "L1"}
    results = at_once(4, lambda n: capture(world, f"k{n}", **sale))
    assert sorted(result.outcome for result in results) == ["refused"] * 3 + ["released"]
    assert [use.left for use in list_locates(world.account.id)] == [Decimal(500)]


def test_one_cancel_of_many_at_once_ends_an_unsent_order(world: DeskWorld) -> None:
    order = capture(world, "k")
    results = at_once(
        6,
        lambda n: cancel_order(
            actor=world.dealer, at=AT, idempotency_key=f"c{n}", route="api", order_id=order.order_id, reason=""
        ),
    )
    assert sum(isinstance(result, CaptureResult) for result in results) == 1
    assert {error.code for error in results if isinstance(error, Conflict)} == {"ORDER_CLOSED"}
    assert CashBalance.objects.get().reserved == 0
