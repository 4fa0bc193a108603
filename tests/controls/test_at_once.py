"""Two at once, on real connections: limits on positions and scopes, the sweeper of executions, the trading switch."""

from __future__ import annotations

from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from django.db.models import F

from accounts.models import CashBalance, TradingAccount
from authorisation.domain.principal import process_principal
from kernel.fix import Side
from kernel.ids import new_id
from orders.domain.results import CaptureResult
from orders.models import OrderRequest
from orders.services.capture_order import capture_order
from orders.services.check_boundaries import check_boundaries
from refdata.models import Listing
from risk.domain.rates import RateKind, RateMark
from risk.models import Block
from risk.services.set_rate_mark import set_rate_mark
from risk.services.switch_trading import switch_trading
from tests.concurrency.threads import together
from tests.factories import AT, DeskWorld, give_stock, make_account, make_desk, make_listing, set_mark, terms
from tests.factories.accounts import located
from tests.factories.trading import Desk
from tests.integration.orders.test_repeated_executions import sweep, traded

pytestmark = pytest.mark.django_db(transaction=True)
VALUE = Decimal("725.00")
AT_ONCE, FIT = 4, 2


def capture(world: DeskWorld, code: str = "", **changes: Any) -> CaptureResult:
    return capture_order(
        actor=world.dealer, at=AT, idempotency_key=str(new_id()), route="api",
        terms=terms(world, account=code or world.account.code, **changes), source="api",
    )  # fmt: skip


def outcomes(results: list[CaptureResult]) -> list[str]:
    return sorted(result.outcome for result in results)


ONE_FITS_TWICE = ["refused"] * (AT_ONCE - FIT) + ["released"] * FIT


@pytest.mark.parametrize(
    ("kind", "hard"),
    [
        ("position_qty", "2000"),
        ("position_value", str(FIT * VALUE)),
        ("concentration", "0.5"),
        ("adv_share", "0.2"),
    ],
)
def test_orders_at_once_cannot_take_the_last_of_a_position_together(kind: str, hard: str) -> None:
    """Beside another position of the same worth, and in a market of 10,000 a day."""
    world = make_desk()
    give_stock(world.account, make_listing("BARC.L"), "2000")
    Listing.objects.filter(pk=world.listing.pk).update(average_daily_volume=Decimal(10_000), version=F("version") + 1)
    set_mark(kind, hard)
    results = together([partial(capture, world) for _ in range(AT_ONCE)])
    assert outcomes(results) == ONE_FITS_TWICE, results


def test_short_sales_at_once_by_an_account_with_nothing_to_lock_keep_its_position() -> None:
    world = make_desk()
    TradingAccount.objects.update(short_allowed=True, opens_currencies=True)
    CashBalance.objects.all().delete()
    located(world.account, world.listing.instrument_id, "100000", at=AT)
    set_mark("position_qty", "2000")
    results = together([partial(capture, world, side=Side.SELL_SHORT, locate_ref="L1") for _ in range(AT_ONCE)])
    assert outcomes(results) == ONE_FITS_TWICE, results


@pytest.mark.parametrize(
    ("kind", "hard"),
    [("open_orders", "2"), *((kind, str(FIT * VALUE)) for kind in ("open_notional", "daily_gross", "daily_net"))],
)
def test_orders_at_once_cannot_take_the_last_of_a_scope_together(kind: str, hard: str) -> None:
    """Of different accounts, which share no other lock."""
    world = make_desk()
    codes = [make_account(f"L-{number}", group=world.group).code for number in range(AT_ONCE)]
    set_mark(kind, hard)
    assert outcomes(together([partial(capture, world, code) for code in codes])) == ONE_FITS_TWICE


def test_two_sweepers_stop_a_source_once() -> None:
    desk = Desk()
    mark = RateMark(RateKind.EXECUTIONS, amount=3, seconds=60)
    set_rate_mark(actor=desk.world.dealer, at=AT, mark=mark, effective_from=AT, set_by="t", reason="t")
    traded(desk, 3)
    assert sorted(together([sweep] * 3)) == [0, 0, 1]
    assert Block.objects.filter(source="executions", lifted_at=None).count() == 1


def test_switched_off_while_orders_come_none_leaves_after_it() -> None:
    """Whichever was first: an order is refused at its capture, or released and refused right before the wire."""
    world = make_desk()
    actor = process_principal("test")
    off = partial(switch_trading, actor=actor, at=AT, on=False, reason="stop")
    results = together([*(partial(capture, world) for _ in range(AT_ONCE)), off])
    assert not [result for result in results if isinstance(result, Exception)], results
    released = list(OrderRequest.objects.filter(state="released").values_list("id", flat=True))
    answers = check_boundaries(request_ids=released, at=AT)
    assert {(answer.allowed, answer.code) for answer in answers.values()} <= {(False, "TRADING_SWITCHED_ON")}
    assert capture(world).outcome == "refused"
