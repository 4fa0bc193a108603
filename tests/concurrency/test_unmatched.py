"""An acknowledgement and a trade that only it explains, worked by two consumers at once: nothing lost, nothing twice."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pytest

from accounts.models import CashBalance, SuspenseAccount
from kernel.fix import ExecType, OrdStatus
from orders.domain.report import Report
from orders.domain.results import CaptureResult
from orders.models import Execution, Order, UnknownOrder, UnmatchedReport
from orders.services.apply_reports import apply_reports
from orders.services.match_waiting_reports import match_waiting_reports
from orders.services.record_routes import record_routes
from tests.concurrency.threads import together
from tests.factories import AT, DeskWorld, make_account, make_desk
from tests.integration.orders.test_apply_reports import LATER, report, sent

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
ROUNDS = 6


def order_and_reports(world: DeskWorld, n: int) -> tuple[CaptureResult, Report, Report]:
    order = sent(world, key=f"k{n}", order_qty=D(100))
    record_routes(routes={order.order_id: "SIM1"}, at=AT)
    named = {"venue_order_id": f"V{n}", "identity": f"{n}:1"}
    ack = report(order, 10 * n + 1, ExecType.NEW, OrdStatus.NEW, **named)
    stray = report(
        order, 10 * n + 2, ExecType.TRADE, OrdStatus.FILLED, cl_ord_id=None, venue_order_id=f"V{n}", identity=f"{n}:2",
        last_qty=D(100), last_px=D("72.50"), symbol="VOD", market="XLON", side="1",
    )  # fmt: skip
    return order, ack, stray


def test_what_slips_between_two_consumers_is_swept_up_once() -> None:
    world = make_desk()
    suspense = make_account("SUSPENSE", group=world.group, cash="0")
    SuspenseAccount.objects.create(desk=None, account=suspense)
    for n in range(ROUNDS):
        _, ack, stray = order_and_reports(world, n)
        works = [partial(apply_reports, reports=[one], at=LATER) for one in (ack, stray)]
        for result in together(works):
            assert not isinstance(result, Exception), result
        sweeps = together([partial(match_waiting_reports, at=LATER)] * 2)
        assert all(isinstance(done, int) for done in sweeps), sweeps
    assert set(Order.objects.values_list("ord_status", "cum_qty")) == {("2", D(100))}
    assert Execution.objects.count() == ROUNDS
    assert UnmatchedReport.objects.filter(order=None).count() == 0
    assert set(UnknownOrder.objects.values_list("state", "booked_qty")) <= {("matched", D(0))}
    assert CashBalance.objects.get(account=world.account).pending == ROUNDS * D("-72.50")
    assert CashBalance.objects.get(account=suspense).pending == 0
