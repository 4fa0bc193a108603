"""Replaces, cancels, the last boundary and what ends a request without the venue."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from accounts.models import CashBalance, Reservation
from authorisation.models import AuthorisationRequest
from journal.models import Event
from kernel.errors import Conflict, NotFound
from kernel.fix import ExecType, OrdStatus
from orders.domain.results import CaptureResult
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.services.apply_reports import apply_reports
from orders.services.cancel_order import cancel_order
from orders.services.cancel_unsent import cancel_unsent
from orders.services.capture_order import capture_order
from orders.services.check_boundaries import check_boundaries
from orders.services.decide_order_request import decide_order_request
from orders.services.lapse_order_requests import lapse_order_requests
from orders.services.mark_unknown import mark_unknown
from orders.services.preview_order import preview_order
from orders.services.record_hand_over import record_hand_over
from orders.services.record_routes import record_routes
from orders.services.refuse_unsent import refuse_unsent
from orders.services.replace_order import replace_order
from tests.factories import AT, DeskWorld, make_desk, set_price, terms, trading_off
from tests.integration.orders.test_apply_reports import LATER, report, sent

pytestmark = pytest.mark.django_db
NOTHING = Decimal(0)


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def reserved() -> Decimal:
    return CashBalance.objects.get().reserved


def kinds(order_id: UUID) -> list[str]:
    return list(Event.objects.filter(stream=f"order:{order_id}").order_by("seq").values_list("kind", flat=True))


def working(world: DeskWorld) -> CaptureResult:
    order = sent(world)
    apply_reports(reports=[report(order, 1, ExecType.NEW, OrdStatus.NEW)], at=LATER)
    return order


def test_a_replace_holds_the_larger_of_old_and_new_until_the_venue_answers(world: DeskWorld) -> None:
    order = working(world)
    result = replace_order(
        actor=world.dealer,
        at=LATER,
        idempotency_key="r1",
        route="ticket",
        order_id=order.order_id,
        terms=ReplaceTerms(order_qty=Decimal(2000)),
    )
    assert (result.outcome, result.cl_ord_id) == ("released", order.cl_ord_id[:-1] + "2")
    assert reserved() == Decimal("1450.00")
    assert Order.objects.get().order_qty == Decimal(1000)
    payload = Event.objects.get(kind="ReplaceReleased").payload
    assert (
        payload["orig_cl_ord_id"],
        payload["venue_order_id"],
        payload["message"]["order_qty"],
        payload["adds_risk"],
    ) == (
        order.cl_ord_id,
        "V1",
        "2000",
        True,
    )


def test_a_smaller_replace_keeps_the_old_hold_until_it_is_accepted(world: DeskWorld) -> None:
    order = working(world)
    result = replace_order(
        actor=world.dealer,
        at=LATER,
        idempotency_key="r1",
        route="ticket",
        order_id=order.order_id,
        terms=ReplaceTerms(order_qty=Decimal(500)),
    )
    assert reserved() == Decimal("725.00")
    record_hand_over(request_ids=[result.request_id], at=LATER)
    accepted = report(
        order,
        2,
        ExecType.REPLACED,
        OrdStatus.REPLACED,
        cl_ord_id=result.cl_ord_id,
        orig_cl_ord_id=order.cl_ord_id,
        order_qty=Decimal(500),
        price=Decimal("72.50"),
        leaves_qty=Decimal(500),
    )
    apply_reports(reports=[accepted], at=LATER)
    assert reserved() == Decimal("362.50")
    assert OrderRequest.objects.get(id=result.request_id).state == "accepted"
    assert Order.objects.get().order_qty == Decimal(500)


def test_a_replace_beyond_buying_power_is_refused_and_holds_nothing_more(world: DeskWorld) -> None:
    order = working(world)
    CashBalance.objects.update(settled=Decimal("1000"))
    result = replace_order(
        actor=world.dealer,
        at=LATER,
        idempotency_key="r1",
        route="ticket",
        order_id=order.order_id,
        terms=ReplaceTerms(order_qty=Decimal(2000)),
    )
    assert result.outcome == "refused"
    assert [answer.code for answer in result.checks if answer.verdict.word == "refuse"] == ["BUYING_POWER"]
    assert reserved() == Decimal("725.00")
    assert "ReplaceReleased" not in kinds(order.order_id)


def test_a_second_replace_waits_for_the_first(world: DeskWorld) -> None:
    order = working(world)
    for key, qty, outcome in (("r1", 900, "released"), ("r2", 800, "refused")):
        result = replace_order(
            actor=world.dealer,
            at=LATER,
            idempotency_key=key,
            route="ticket",
            order_id=order.order_id,
            terms=ReplaceTerms(order_qty=Decimal(qty)),
        )
        assert result.outcome == outcome


def test_a_cancel_goes_to_the_venue_and_its_repetition_answers_the_same(world: DeskWorld) -> None:
    order = working(world)
    arguments: dict[str, Any] = {
        "idempotency_key": "c1",
        "route": "ticket",
        "order_id": order.order_id,
        "reason": "client",
    }
    first = cancel_order(actor=world.dealer, at=LATER, **arguments)
    again = cancel_order(actor=world.dealer, at=LATER, **arguments)
    assert (first.outcome, again.replayed, again.request_id) == ("released", True, first.request_id)
    assert OrderRequest.objects.count() == 2
    with pytest.raises(Conflict, match="CANCEL_IN_FLIGHT"):
        cancel_order(actor=world.dealer, at=LATER, **(arguments | {"idempotency_key": "c2"}))
    assert OrderRequest.objects.count() == 2


def test_an_unsent_order_is_canceled_here(world: DeskWorld) -> None:
    order = capture_order(
        actor=world.dealer, at=AT, idempotency_key="k", route="ticket", terms=terms(world), source="ticket"
    )
    result = cancel_order(
        actor=world.dealer, at=AT, idempotency_key="c", route="ticket", order_id=order.order_id, reason=""
    )
    assert (result.outcome, result.state) == ("completed_locally", "accepted")
    row = Order.objects.get()
    assert (row.is_open, row.leaves_qty, row.request_state) == (False, NOTHING, "withdrawn")
    assert reserved() == NOTHING
    assert not Reservation.objects.exists()
    refuse_unsent(request_id=order.request_id, at=AT, code="X", sentence="late")
    assert OrderRequest.objects.get(id=order.request_id).state == "withdrawn"


def test_the_gateway_completes_a_cancel_of_an_unsent_order(world: DeskWorld) -> None:
    order = capture_order(
        actor=world.dealer, at=AT, idempotency_key="k", route="ticket", terms=terms(world), source="ticket"
    )
    row = Order.objects.get()
    request = OrderRequest.objects.create(
        id=UUID(int=1), order=row, seq=2, kind="cancel", state="released", cl_ord_id="X.2", payload={}, maker="user:1",
        maker_id=1, captured_at=AT,
    )  # fmt: skip
    cancel_unsent(request_id=request.id, at=AT)
    cancel_unsent(request_id=request.id, at=AT)
    assert sorted(OrderRequest.objects.values_list("kind", "state")) == [("cancel", "accepted"), ("new", "withdrawn")]
    assert reserved() == NOTHING
    assert kinds(order.order_id).count("RequestWithdrawn") == 1


def test_a_refusal_at_the_boundary_lets_the_cash_go(world: DeskWorld) -> None:
    order = capture_order(
        actor=world.dealer, at=AT, idempotency_key="k", route="ticket", terms=terms(world), source="ticket"
    )
    record_routes(routes={order.order_id: "SIM1"}, at=AT)
    assert check_boundaries(request_ids=[order.request_id], at=AT)[order.request_id].allowed
    trading_off()
    answer = check_boundaries(request_ids=[order.request_id], at=AT)[order.request_id]
    assert (answer.allowed, answer.code) == (False, "TRADING_SWITCHED_ON")
    refuse_unsent(request_id=order.request_id, at=AT, code=answer.code, sentence=answer.sentence)
    row = Order.objects.get()
    assert (row.is_open, row.request_state, row.session_group) == (False, "refused", "SIM1")
    assert reserved() == NOTHING
    assert kinds(order.order_id) == ["OrderCaptured", "OrderReleased", "OrderRouted", "RequestNotSent"]


def test_a_cancel_passes_the_boundary_while_trading_is_off(world: DeskWorld) -> None:
    order = working(world)
    result = cancel_order(
        actor=world.dealer, at=LATER, idempotency_key="c", route="ticket", order_id=order.order_id, reason=""
    )
    trading_off()
    assert check_boundaries(request_ids=[result.request_id], at=LATER)[result.request_id].allowed


def test_unknown_stays_unknown_until_the_venue_answers(world: DeskWorld) -> None:
    order = sent(world)
    mark_unknown(request_ids=[order.request_id], at=LATER, sentence="Restarted without proof.")
    assert Order.objects.get().request_state == "unknown"
    assert reserved() == Decimal("725.00")
    apply_reports(reports=[report(order, 1, ExecType.NEW, OrdStatus.NEW)], at=LATER)
    assert Order.objects.get().request_state == "accepted"
    mark_unknown(request_ids=[order.request_id], at=LATER, sentence="late")
    assert Order.objects.get().request_state == "accepted"
    assert list(Event.objects.filter(stream__startswith="anomaly:").order_by("seq").values_list("kind", flat=True)) == [
        "AnomalyRaised",
        "AnomalyCleared",
    ]


def held(world: DeskWorld) -> CaptureResult:
    """55,000 units: above the warning, below the limit."""
    result = capture_order(
        actor=world.dealer,
        at=AT,
        idempotency_key="h",
        route="ticket",
        terms=terms(world, order_qty=Decimal(55000)),
        source="ticket",
    )
    assert result.outcome == "pending_authorisation", result.checks
    return result


def decide(world: DeskWorld, verdict: str) -> str:
    request = AuthorisationRequest.objects.get()
    values: dict[str, Any] = {
        "actor": world.checker,
        "at": LATER,
        "authorisation_id": request.id,
        "verdict": verdict,
        "reason_code": "CLIENT_CONFIRMED",
        "reason": "Spoken to the client.",
        "payload_hash": request.payload_hash,
    }
    return decide_order_request(**values).outcome


def test_an_approved_order_is_released(world: DeskWorld) -> None:
    order = held(world)
    assert reserved() == Decimal("39875.00")
    assert decide(world, "approve") == "applied"
    assert Order.objects.get().request_state == "released"
    assert kinds(order.order_id) == ["OrderCaptured", "OrderHeld", "OrderReleased"]
    assert reserved() == Decimal("39875.00")


def test_a_declined_order_lets_its_cash_go(world: DeskWorld) -> None:
    held(world)
    assert decide(world, "decline") == "declined"
    assert (Order.objects.get().is_open, reserved()) == (False, NOTHING)


def test_an_approval_in_a_worse_world_is_not_applied(world: DeskWorld) -> None:
    order = held(world)
    trading_off()
    assert decide(world, "approve") == "not_applied"
    assert AuthorisationRequest.objects.get().state == "not_applied"
    assert (OrderRequest.objects.get().state, reserved()) == ("refused", NOTHING)
    assert kinds(order.order_id)[-1] == "OrderRefused"


def test_a_collar_that_was_passed_and_now_asks_is_worse(world: DeskWorld) -> None:
    held(world)
    set_price(world.listing, "60.00", at=LATER)
    assert decide(world, "approve") == "not_applied"


def test_an_undecided_order_lapses(world: DeskWorld) -> None:
    held(world)
    assert lapse_order_requests(at=AT + timedelta(minutes=29)) == 0
    assert lapse_order_requests(at=AT + timedelta(minutes=31)) == 1
    assert (OrderRequest.objects.get().state, reserved()) == ("lapsed", NOTHING)


def test_canceling_a_held_order_withdraws_the_request_for_a_second_person(world: DeskWorld) -> None:
    order = held(world)
    result = cancel_order(
        actor=world.dealer, at=AT, idempotency_key="c", route="ticket", order_id=order.order_id, reason=""
    )
    assert result.outcome == "completed_locally"
    assert AuthorisationRequest.objects.get().state == "withdrawn"
    assert reserved() == NOTHING


def test_what_another_desk_has_does_not_exist(world: DeskWorld) -> None:
    other = make_desk("EQ2")
    order = working(world)
    with pytest.raises(NotFound):
        cancel_order(actor=other.dealer, at=AT, idempotency_key="c", route="t", order_id=order.order_id, reason="")
    assert OrderRequest.objects.count() == 1


def test_a_preview_writes_nothing(world: DeskWorld) -> None:
    preview = preview_order(actor=world.dealer, at=AT, terms=terms(world))
    assert (preview.can_send, preview.sentence) == (True, "Ready to send.")
    assert preview.notional_text == "1,000 × 72.5 GBX ÷ 100 costs GBP 725.00"
    assert preview.cash_before is not None
    assert preview.cash_after is not None
    assert (preview.cash_before.amount, preview.cash_after.amount) == (Decimal(100000), Decimal(99275))
    assert (Order.objects.count(), Event.objects.count(), reserved()) == (0, 0, NOTHING)
