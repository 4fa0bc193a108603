"""Requests and fills about one order at the same moment: the lock decides, what is held is right whoever was first."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from accounts.models import CashBalance, Reservation
from kernel.errors import Conflict
from kernel.fix import ExecType, OrdStatus
from orders.domain.results import CaptureResult, RequestResult
from orders.domain.terms import ReplaceTerms
from orders.domain.venue_rules import VenueRules
from orders.models import Order, OrderRequest
from orders.services.apply_reports import apply_reports
from orders.services.cancel_order import cancel_order
from orders.services.record_routes import record_routes
from orders.services.replace_order import replace_order
from risk.domain.facts import ReplaceRules
from tests.concurrency.threads import together
from tests.factories import AT, DeskWorld, make_desk
from tests.integration.orders.test_apply_reports import LATER, report, sent

pytestmark = pytest.mark.django_db(transaction=True)
D = Decimal
ROUNDS = 3


def working(world: DeskWorld, n: int, **rules: Any) -> CaptureResult:
    order = sent(world, key=f"k{n}")
    record_routes(routes={order.order_id: "SIM1"}, rules={"SIM1": VenueRules("t/1", ReplaceRules(**rules))}, at=AT)
    new = report(order, 1, ExecType.NEW, OrdStatus.NEW, identity=f"{n}:1", venue_order_id=f"V{n}")
    apply_reports(reports=[new], at=LATER)
    return order


def replacing(world: DeskWorld, order: CaptureResult, key: str, qty: int) -> Callable[[], RequestResult]:
    return partial(
        replace_order, actor=world.dealer, at=LATER, idempotency_key=key, route="ticket", order_id=order.order_id,
        terms=ReplaceTerms(order_qty=D(qty)),
    )  # fmt: skip


def canceling(world: DeskWorld, order: CaptureResult, key: str) -> Callable[[], RequestResult]:
    return partial(
        cancel_order, actor=world.dealer, at=LATER, idempotency_key=key, route="ticket", order_id=order.order_id,
        reason="",
    )  # fmt: skip


def held(order: CaptureResult) -> Decimal:
    row = Reservation.objects.filter(order_id=order.order_id).first()
    return row.cash if row else D(0)


def test_of_two_replaces_at_once_one_leaves_where_the_venue_takes_one() -> None:
    world = make_desk()
    for n in range(ROUNDS):
        order = working(world, n)
        results = together([replacing(world, order, f"{n}{qty}", qty) for qty in (1500, 2000)])
        assert sorted(result.outcome for result in results) == ["refused", "released"]
        won = next(result for result in results if result.outcome == "released")
        asked = D(OrderRequest.objects.get(id=won.request_id).payload["order_qty"])
        assert held(order) == asked * D("0.725")
    assert CashBalance.objects.get().reserved == sum(Reservation.objects.values_list("cash", flat=True))


def test_a_replace_and_a_cancel_at_once_never_both_leave() -> None:
    world = make_desk()
    for n in range(ROUNDS):
        order = working(world, n)
        replace, cancel = together([replacing(world, order, f"r{n}", 1500), canceling(world, order, f"c{n}")])
        assert cancel.outcome == "released"
        if isinstance(replace, Conflict):
            assert replace.code == "CANCEL_IN_FLIGHT"
        else:
            assert OrderRequest.objects.get(id=replace.request_id).state == "withdrawn"
        assert held(order) == D("725.00")


def test_a_replace_and_a_fill_at_once_hold_the_worse_of_both() -> None:
    world = make_desk()
    for n in range(ROUNDS):
        order = working(world, n)
        fill = report(
            order, 2, ExecType.TRADE, OrdStatus.FILLED, identity=f"{n}:2", venue_order_id=f"V{n}", last_qty=D(1000),
            last_px=D("72.50"),
        )  # fmt: skip
        replace, applied = together(
            [replacing(world, order, f"r{n}", 1500), partial(apply_reports, reports=[fill], at=LATER)]
        )
        assert applied.applied == 1
        assert Order.objects.get(id=order.order_id).ord_status == "2"
        if isinstance(replace, Conflict):
            assert (replace.code, held(order)) == ("ORDER_CLOSED", D(0))
        else:
            assert (replace.outcome, held(order)) == ("released", D("362.50"))
    cash = CashBalance.objects.get()
    assert cash.pending == ROUNDS * D("-725.00")
    assert cash.reserved == sum(Reservation.objects.values_list("cash", flat=True))
