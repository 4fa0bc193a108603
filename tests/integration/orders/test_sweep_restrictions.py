"""A restriction that comes into force deals with the orders already in the market as it says."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import CashBalance
from authorisation.models import AuthorisationRequest
from journal.models import Event
from kernel.fix import ExecType, OrdStatus, Side
from orders.models import Order, OrderRequest
from orders.services.apply_reports import apply_reports
from orders.services.sweep_restrictions import sweep_restrictions
from risk.models import Restriction
from tests.factories import AT, DeskWorld, give_stock, make_desk
from tests.factories.conduct import restrict
from tests.integration.orders.test_apply_reports import LATER, report
from tests.integration.orders.test_conduct import accepted, send

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> DeskWorld:
    return make_desk(cash="1000000")


def matters() -> list[tuple[str, Any]]:
    told = Event.objects.filter(kind__in=["AnomalyRaised", "AnomalyCleared"]).order_by("position")
    return [(event.kind, event.payload["evidence"]["orders"]) for event in told]


def cancels() -> int:
    return OrderRequest.objects.filter(kind="cancel").count()


def test_working_orders_are_listed_until_none_is_left(world: DeskWorld) -> None:
    order = accepted(send(world))
    row = restrict(world)
    assert sweep_restrictions(at=LATER) == 1
    assert (sweep_restrictions(at=LATER), cancels()) == (0, 0)
    assert matters() == [("AnomalyRaised", [order.ref])]
    told = Event.objects.get(kind="AnomalyRaised").payload
    assert row.reference in told["sentence"]
    assert "Nightjar" not in str(told)
    apply_reports(reports=[report(order, 2, ExecType.CANCELED, OrdStatus.CANCELED)], at=LATER)
    sweep_restrictions(at=LATER)
    assert [kind for kind, _ in matters()] == ["AnomalyRaised", "AnomalyCleared"]


def test_working_orders_are_canceled_and_what_has_not_left_ends_here(world: DeskWorld) -> None:
    working = accepted(send(world))
    unsent, held = send(world), send(world, order_qty=Decimal(60000))
    assert held.outcome == "pending_authorisation"
    restrict(world, sweep="cancel")
    assert (sweep_restrictions(at=LATER), sweep_restrictions(at=LATER)) == (1, 0)
    cancel = OrderRequest.objects.get(kind="cancel")
    assert (cancel.order_id, cancel.state, cancel.maker) == (working.order_id, "released", "process:restrictions")
    for ended in (unsent, held):
        request = OrderRequest.objects.get(id=ended.request_id)
        assert (request.state, request.outcome_code) == ("refused", "RESTRICTED")
        assert not Order.objects.get(id=ended.order_id).is_open
    assert AuthorisationRequest.objects.get(kind="order_request").state == "withdrawn"
    assert CashBalance.objects.get().reserved == Decimal("725.00")
    assert matters() == [("AnomalyRaised", [working.ref])]


def test_kept_orders_are_said_to_be_kept(world: DeskWorld) -> None:
    accepted(send(world))
    restrict(world, sweep="keep")
    sweep_restrictions(at=LATER)
    told = Event.objects.get(kind="AnomalyRaised").payload
    assert (told["severity"], "kept on purpose" in told["sentence"], cancels()) == ("low", True, 0)


@pytest.mark.parametrize(
    ("changes", "concerned"),
    [
        ({}, True),
        ({"sides": "sell"}, False),
        ({"effective_from": LATER + timedelta(hours=1)}, False),
        ({"list": "watch"}, False),
    ],
)
def test_only_what_it_concerns_and_only_once_in_force(
    world: DeskWorld, changes: dict[str, Any], concerned: bool
) -> None:
    accepted(send(world))
    restrict(world, **changes)
    sweep_restrictions(at=LATER)
    assert bool(matters()) is concerned


def test_another_account_and_a_sale_where_buys_are_restricted_stay(world: DeskWorld) -> None:
    give_stock(world.account, world.listing, "5000")
    sale = send(world, side=Side.SELL, price=Decimal(80))
    buy = send(world)
    restrict(world, sides="buy", scope="account", scope_id=str(world.account.id), sweep="cancel")
    assert sweep_restrictions(at=AT) == 1
    assert [Order.objects.get(id=one.order_id).is_open for one in (sale, buy)] == [True, False]
    assert Restriction.objects.get().swept_at == AT
