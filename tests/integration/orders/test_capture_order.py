"""One order through ``capture_order``: what is written, what is held, and that a refusal moves nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import CashBalance, Reservation
from journal.domain.chain import GENESIS
from journal.models import Event, IdempotencyKey
from kernel.errors import Conflict, Invalid, NotPermitted, Refused
from kernel.fix import OrdType, TimeInForce
from orders.domain.results import CaptureResult
from orders.models import Order, OrderRequest
from orders.services.capture_order import capture_order
from risk.domain.answers import Acknowledgement, Verdict
from risk.domain.checks import CHECKS
from tests.factories import AT, DeskWorld, make_desk, terms, trading_off

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def test_a_good_order_is_released_with_its_cash_held(world: DeskWorld) -> None:
    result = capture_order(
        actor=world.dealer, at=AT, idempotency_key="k1", route="ticket", terms=terms(world), source="ticket"
    )
    assert (result.outcome, result.state, result.replayed) == ("released", "released", False), result.sentence
    assert len(result.checks) == len(CHECKS)
    order = Order.objects.get(id=result.order_id)
    assert (order.ref, order.is_open, order.leaves_qty, order.ord_status) == (result.ref, True, Decimal(1000), None)
    assert CashBalance.objects.get().reserved == Decimal("725.00")
    assert Reservation.objects.get().cash == Decimal("725.00")
    assert list(Event.objects.order_by("seq").values_list("kind", flat=True)) == ["OrderCaptured", "OrderReleased"]
    assert IdempotencyKey.objects.get().status == 201
    assert OrderRequest.objects.get().state == "released"


def everything() -> tuple[Any, ...]:
    """All that a capture could have changed."""
    return (
        Order.objects.count(),
        OrderRequest.objects.count(),
        Reservation.objects.count(),
        Event.objects.count(),
        IdempotencyKey.objects.count(),
        list(CashBalance.objects.values_list("settled", "pending", "reserved")),
    )


def capture(world: DeskWorld, key: str = "k1", source: str = "ticket", **changes: Any) -> CaptureResult:
    acknowledgements = changes.pop("acknowledgements", ())
    return capture_order(
        actor=changes.pop("actor", world.dealer),
        at=AT,
        idempotency_key=key,
        route="ticket",
        terms=terms(world, **changes),
        source=source,
        acknowledgements=acknowledgements,
    )


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"order_qty": Decimal("NaN")}, "TERMS_INVALID", "order_qty"),
        ({"order_qty": Decimal("Infinity")}, "TERMS_INVALID", "order_qty"),
        ({"order_qty": Decimal(0)}, "TERMS_INVALID", "order_qty"),
        ({"order_qty": Decimal(-5)}, "TERMS_INVALID", "order_qty"),
        ({"order_qty": Decimal("1.123456789")}, "TERMS_INVALID", "order_qty"),
        ({"price": None}, "TERMS_INVALID", "price"),
        ({"ord_type": OrdType.MARKET}, "TERMS_INVALID", "price"),
        ({"stop_px": Decimal(70)}, "TERMS_INVALID", "stop_px"),
        ({"ord_type": OrdType.STOP, "price": None}, "TERMS_INVALID", "stop_px"),
        ({"time_in_force": TimeInForce.GTD}, "TERMS_INVALID", "expire_date"),
        ({"client_order_id": "x" * 65}, "TERMS_INVALID", "client_order_id"),
        ({"symbol": "NOPE"}, "SYMBOL_UNKNOWN", "symbol"),
        ({"account": "NOPE"}, "ACCOUNT_UNKNOWN", "account"),
        ({"parent_id": UUID(int=9)}, "PARENT_UNKNOWN", "parent_id"),
    ],
)
def test_a_malformed_order_is_told_by_field_and_nothing_is_kept(
    world: DeskWorld, changes: dict[str, Any], code: str, field: str
) -> None:
    before = everything()
    with pytest.raises(Invalid) as refusal:
        capture(world, **changes)
    assert (refusal.value.code, list(refusal.value.fields)) == (code, [field])
    assert everything() == before


def test_an_account_of_another_desk_does_not_exist(world: DeskWorld) -> None:
    other = make_desk("EQ2")
    before = everything()
    with pytest.raises(Invalid, match="ACCOUNT_UNKNOWN"):
        capture(world, account=other.account.code)
    assert everything() == before


def test_without_the_right_to_enter_orders_nothing_is_even_read(world: DeskWorld) -> None:
    before = everything()
    with pytest.raises(NotPermitted):
        capture(world, actor=replace(world.dealer, rights=frozenset()))
    assert everything() == before


def test_a_refusal_by_checks_is_kept_with_every_answer_and_holds_nothing(world: DeskWorld) -> None:
    trading_off()
    result = capture(world, order_qty=Decimal(100_010))
    assert (result.outcome, result.state) == ("refused", "refused")
    refusals = [answer.code for answer in result.checks if answer.verdict is Verdict.REFUSE]
    assert refusals == ["TRADING_SWITCHED_ON", "ORDER_QUANTITY_LIMIT"]
    order, request = Order.objects.get(), OrderRequest.objects.get()
    assert (order.is_open, order.leaves_qty, request.outcome_code) == (False, Decimal(0), "TRADING_SWITCHED_ON")
    assert len(request.checks) == len(CHECKS)
    assert CashBalance.objects.get().reserved == 0
    assert not Reservation.objects.exists()
    assert list(Event.objects.order_by("seq").values_list("kind", flat=True)) == ["OrderCaptured", "OrderRefused"]
    assert IdempotencyKey.objects.get().status == 422


def test_a_dealer_is_asked_for_a_reason_and_nothing_is_kept_until_it_is_given(world: DeskWorld) -> None:
    before = everything()
    with pytest.raises(Refused) as refusal:
        capture(world, price=Decimal("80.00"))
    assert refusal.value.code == "ACKNOWLEDGEMENT_REQUIRED"
    assert [item["code"] for item in refusal.value.context["checks"]] == ["PRICE_COLLAR"]
    assert everything() == before
    reason = (Acknowledgement("PRICE_COLLAR", "Client insists"),)
    result = capture(world, price=Decimal("80.00"), acknowledgements=reason)
    assert result.outcome == "released"
    assert OrderRequest.objects.get().acknowledgements == [{"code": "PRICE_COLLAR", "reason": "Client insists"}]


def test_on_the_api_the_same_question_goes_to_a_second_person(world: DeskWorld) -> None:
    assert capture(world, source="api", price=Decimal("80.00")).outcome == "pending_authorisation"
    assert CashBalance.objects.get().reserved == Decimal("800.00")


def test_the_same_key_answers_the_same_and_another_content_conflicts(world: DeskWorld) -> None:
    first = capture(world)
    before = everything()
    again = capture(world)
    assert (again.replayed, again.order_id, again.ref, again.cl_ord_id) == (
        True,
        first.order_id,
        first.ref,
        first.cl_ord_id,
    )
    assert [answer.code for answer in again.checks] == [answer.code for answer in first.checks]
    with pytest.raises(Conflict, match="IDEMPOTENCY_CONFLICT"):
        capture(world, order_qty=Decimal(2000))
    assert everything() == before


def test_the_chain_of_an_order_is_whole(world: DeskWorld) -> None:
    result = capture(world)
    order = Order.objects.get()
    first, second = Event.objects.filter(stream=f"order:{result.order_id}").order_by("seq")
    assert (bytes(first.prev_hash), bytes(second.prev_hash)) == (GENESIS, bytes(first.hash))
    assert (order.last_event_seq, bytes(order.last_event_hash)) == (2, bytes(second.hash))


def test_the_database_keeps_what_happened_and_the_pairs_of_the_table(world: DeskWorld) -> None:
    capture(world)
    for statement in (
        "DELETE FROM orders_order",
        "DELETE FROM orders_orderrequest",
        "UPDATE orders_orderrequest SET state = 'accepted' WHERE state = 'released' AND kind = 'never'",
        "UPDATE orders_orderrequest SET state = 'lapsed'",
        "UPDATE orders_order SET is_open = false",
        "UPDATE orders_order SET ord_status = '4'",
        "UPDATE orders_order SET cum_qty = 1",
    ):
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement)
        except IntegrityError:
            continue
        assert "never" in statement, statement
