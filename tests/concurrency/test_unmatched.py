"""An acknowledgement and a trade that only it explains, worked by two consumers at once: nothing lost, nothing twice."""

from __future__ import annotations

from decimal import Decimal
from functools import partial

import pytest

from accounts.models import CashBalance, SuspenseAccount
from authorisation.models import AuthorisationRequest
from kernel.fix import ExecType, OrdStatus
from orders.domain.report import Report
from orders.domain.results import CaptureResult
from orders.models import Execution, Order, UnknownOrder, UnmatchedReport
from orders.services.accept_excess import accept_excess
from orders.services.apply_reports import apply_reports
from orders.services.decide_suspense import decide_suspense
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


def test_an_acceptance_and_a_bust_at_once_leave_the_books_of_one_after_the_other() -> None:
    world = make_desk()
    suspense = make_account("SUSPENSE", group=world.group, cash="0")
    SuspenseAccount.objects.create(desk=None, account=suspense)
    for n in range(3):
        order = sent(world, key=f"k{n}", order_qty=D(100))
        named = {"venue_order_id": f"V{n}", "last_px": D("72.50")}
        kept, over = (
            report(order, seq, ExecType.TRADE, OrdStatus.FILLED, identity=f"{n}:{seq}", last_qty=D(qty), **named)
            for seq, qty in ((1, 100), (2, 50))
        )
        apply_reports(reports=[kept, over], at=LATER)
        accept_excess(
            actor=world.dealer,
            at=LATER,
            idempotency_key=f"x{n}",
            route="suspense",
            order_id=order.order_id,
            reason="The client takes it.",
        )
        asked = AuthorisationRequest.objects.get(state="pending")
        bust = report(
            order, 3, ExecType.TRADE_CANCEL, OrdStatus.FILLED, identity=f"{n}:3", exec_ref_id="X2",
            venue_order_id=f"V{n}",
        )  # fmt: skip
        decide = partial(
            decide_suspense, actor=world.checker, at=LATER, authorisation_id=asked.id, verdict="approve",
            reason_code="OTHER", reason="", payload_hash=asked.payload_hash,
        )  # fmt: skip
        decided, applied = together([decide, partial(apply_reports, reports=[bust], at=LATER)])
        assert (applied.applied, decided.outcome in ("applied", "not_applied")) == (1, True)
        row = Order.objects.get(id=order.order_id)
        assert (row.cum_qty, row.overfilled) == (D(100), False)
        assert row.accepted_excess == (D(50) if decided.outcome == "applied" else D(0))
        assert set(Execution.objects.filter(order=row).values_list("suspense_qty", "suspense_cash")) == {(D(0), D(0))}
    assert CashBalance.objects.get(account=world.account).pending == 3 * D("-72.50")
    assert CashBalance.objects.get(account=suspense).pending == 0
