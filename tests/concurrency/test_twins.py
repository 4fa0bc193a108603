"""Two equal orders, or two that would trade with each other, at the same moment: the second sees the first."""

from __future__ import annotations

from decimal import Decimal

import pytest

from accounts.models import CashBalance, TradingAccount
from kernel.fix import Side
from orders.domain.results import CaptureResult
from orders.services.capture_order import capture_order
from tests.concurrency.test_captures import at_once
from tests.factories import AT, DeskWorld, give_stock, make_desk, set_rulebook, terms
from tests.factories.accounts import located

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def world() -> DeskWorld:
    return make_desk(cash="1000000")


def send(world: DeskWorld, key: int, **changes: object) -> CaptureResult:
    return capture_order(
        actor=world.dealer, at=AT, idempotency_key=f"k{key}", route="api", terms=terms(world, **changes), source="api"
    )


def outcomes(results: list[CaptureResult]) -> list[str]:
    return sorted(result.outcome for result in results)


def test_of_equal_orders_at_once_one_has_no_twin(world: DeskWorld) -> None:
    set_rulebook(duplicate_window_s=60)
    results = at_once(6, lambda n: send(world, n))
    assert outcomes(results) == ["pending_authorisation"] * 5 + ["released"]


def test_also_where_there_is_neither_cash_nor_stock_to_lock(world: DeskWorld) -> None:
    set_rulebook(duplicate_window_s=60)
    CashBalance.objects.all().delete()
    TradingAccount.objects.update(short_allowed=True, opens_currencies=True)
    located(world.account, world.listing.instrument_id, "10000")
    results = at_once(6, lambda n: send(world, n, side=Side.SELL_SHORT, locate_ref="L1"))
    assert outcomes(results) == ["pending_authorisation"] * 5 + ["released"]


def test_of_orders_that_would_trade_with_each_other_one_side_is_refused(world: DeskWorld) -> None:
    set_rulebook(self_trade_account="refuse")
    give_stock(world.account, world.listing, "100000")
    sides = (Side.BUY, Side.SELL)
    results = at_once(6, lambda n: send(world, n, side=sides[n % 2], order_qty=Decimal(100 + n)))
    assert outcomes(results) == ["refused"] * 3 + ["released"] * 3
    first = {result.outcome for result in results[::2]}
    assert len(first) == 1, "one side was released whole, the other refused whole"
