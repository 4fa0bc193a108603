"""An account that a fact overdrew takes no new risk anywhere, sells what it holds, and is free again once covered."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import CashBalance, Holding
from accounts.services.deposit import Deposit, deposit
from authorisation.domain.principal import process_principal
from journal.models import Event
from kernel.fix import ExecType, OrdStatus, Side
from kernel.ids import new_id
from orders.domain.results import CaptureResult
from orders.models import Execution, Order
from orders.services.apply_reports import apply_reports
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.check_boundaries import check_boundaries
from tests.factories import AT, DeskWorld, give_stock, make_desk, make_listing, set_limits, terms
from tests.integration.orders.test_apply_reports import LATER, report, sent

pytestmark = pytest.mark.django_db
D = Decimal
CODE = "ACCOUNT_OVERDRAWN"


@pytest.fixture
def world() -> DeskWorld:
    return make_desk(cash="1000")


def capture(world: DeskWorld, key: str, **changes: object) -> CaptureResult:
    return capture_order(
        actor=world.dealer, at=LATER, idempotency_key=key, route="t", terms=terms(world, **changes), source="ticket"
    )


def refusals(result: CaptureResult) -> list[str]:
    return [answer.code for answer in result.checks if answer.verdict.word == "refuse"]


def overdraw(world: DeskWorld) -> None:
    """A fill far above its limit: 1,000 at 150 pence, with 1,000 pounds there."""
    order = sent(world)
    fill = report(order, 1, ExecType.TRADE, OrdStatus.FILLED, last_qty=D(1000), last_px=D("150.00"))
    apply_reports(reports=[fill], at=LATER)


def test_it_buys_nothing_until_it_is_covered(world: DeskWorld) -> None:
    overdraw(world)
    before = Order.objects.count(), CashBalance.objects.values().get(), Execution.objects.count()
    assert CODE in refusals(capture(world, "k2", order_qty=D(1)))
    assert (CashBalance.objects.values().get(), Execution.objects.count()) == before[1:]
    lines = [Deposit(world.account.id, D(600), "GBP")]
    deposit(actor=process_principal("seed"), at=LATER, business_date=AT.date(), deposits=lines, kind="deposit")
    assert capture(world, "k3", order_qty=D(1)).outcome == "released"
    told = Event.objects.filter(stream=f"anomaly:overdrawn:{world.account.id}:GBP").order_by("seq")
    assert list(told.values_list("kind", flat=True)) == ["AnomalyRaised", "AnomalyCleared"]


def test_cash_in_another_currency_does_not_help_and_a_sale_does(world: DeskWorld) -> None:
    overdraw(world)
    set_limits("USD")
    CashBalance.objects.create(account=world.account, currency="USD", settled=D(1000))
    dollars = make_listing("MSFT", currency="USD", price_unit="USD", last="10.00")
    assert refusals(capture(world, "k2", symbol=dollars.symbol, order_qty=D(1), price=D("10"))) == [CODE]
    assert capture(world, "k3", side=Side.SELL, order_qty=D(10)).outcome == "released"


def test_an_overdrawn_holding_counts_as_well(world: DeskWorld) -> None:
    other = make_listing("BARC.L")
    give_stock(world.account, other, "10")
    assert capture(world, "k2", order_qty=D(1)).outcome == "released"
    Holding.objects.update(settled=-1, overdrawn_by_event=new_id())
    assert refusals(capture(world, "k3", order_qty=D(1))) == [CODE]


def test_a_batch_and_the_last_boundary_say_the_same(world: DeskWorld) -> None:
    unsent = capture(world, "k2", order_qty=D(1))
    overdraw(world)
    rows = capture_orders(
        rows=[("1", terms(world, order_qty=D(1)))], actor=world.dealer, at=LATER + timedelta(seconds=1), idempotency_key="b",
        route="batch", source="api",
    )  # fmt: skip
    assert [CODE in refusals(row.result) for row in rows if row.result] == [True]
    answer = check_boundaries(request_ids=[unsent.request_id], at=LATER)[unsent.request_id]
    assert (answer.allowed, answer.code) == (False, CODE)
