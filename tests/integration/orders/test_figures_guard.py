"""The database refuses an order whose status or quantities are not what its facts amount to, whoever writes them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from kernel.fix import ExecType, OrdStatus
from kernel.ids import new_id
from orders.domain.derive import derive
from orders.domain.facts import facts_of_reports, facts_to_json
from orders.domain.report import Report
from orders.models import Order
from orders.services.apply_reports import apply_reports
from tests.factories import AT, make_desk
from tests.integration.orders.test_apply_reports import LATER, report, sent
from tests.unit.orders.paths import LAST_DAY, OrderPath, order_paths

pytestmark = pytest.mark.django_db


@pytest.fixture
def half_filled() -> Order:
    order = sent(make_desk())
    trade = report(order, 2, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=Decimal(400), last_px=Decimal(72))
    apply_reports(reports=[report(order, 1, ExecType.NEW, OrdStatus.NEW), trade], at=LATER)
    return Order.objects.get()


def change(sql: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE orders_order SET {sql}")


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("ord_status = '0'", "status 0, its facts say 1"),
        ("ord_status = NULL", "status <NULL>, its facts say 1"),
        ("ord_status = '3'", "status 3, its facts say 1"),
        ("leaves_qty = 599", "599.00000000 left, its facts say 600"),
        ("leaves_qty = 0, is_open = false", "0 left, its facts say 600"),
        ("cum_qty = 399", "399 executed, its facts say 400"),
        ("cum_qty = 500, leaves_qty = 500", "500 executed, its facts say 400"),
        ("facts = jsonb_set(facts, '{state,cum_qty}', '\"300\"')", "executed, its facts say 300"),
        ("facts = jsonb_set(facts, '{state,ended}', '\"4\"')", "left, its facts say 0"),
        ("facts = jsonb_set(facts, '{state,suspended}', 'true')", "status 1, its facts say 9"),
        ("facts = facts - 'state'", "the venue has said nothing of it"),
    ],
)
def test_what_contradicts_the_facts_is_refused_and_nothing_changes(half_filled: Order, sql: str, what: str) -> None:
    with pytest.raises(IntegrityError) as refused:
        change(sql)
    said = (
        str(refused.value).replace("400.00000000", "400").replace("399.00000000", "399").replace("500.00000000", "500")
    )
    assert what in said or what in str(refused.value).replace(" 0E-8 ", " 0 ").replace("0.00000000", "0"), said
    after = Order.objects.get()
    assert (after.ord_status, after.cum_qty, after.leaves_qty, after.facts) == (
        half_filled.ord_status,
        half_filled.cum_qty,
        half_filled.leaves_qty,
        half_filled.facts,
    )


def test_what_agrees_or_is_no_figure_may_be_written(half_filled: Order) -> None:
    change("ord_status = '1', cum_qty = 400, leaves_qty = 600, updated_at = now()")
    change("needs_attention = 'X'")


def test_an_order_the_venue_has_not_spoken_of_has_no_status() -> None:
    sent(make_desk())
    with pytest.raises(IntegrityError, match="the venue has said nothing"):
        change("ord_status = '0'")


PATHS = order_paths()


def test_the_guard_agrees_with_the_core_in_every_situation_of_the_matrices() -> None:
    """One row is given the facts of each prefix of each path, and the figures that the core derives from them."""
    sent(make_desk())
    order = Order.objects.get()
    tried = sum(_try(order, path, path.reports[:count]) for path in PATHS for count in range(1, len(path.reports) + 1))
    assert tried > 400


def _try(order: Order, path: OrderPath, reports: list[Report] | tuple[Report, ...]) -> int:
    facts = facts_of_reports(path.requests, reports)
    for day in (LAST_DAY, LAST_DAY - timedelta(days=30), AT.date()):
        derived = derive(facts, business_date=day)
        Order.objects.filter(id=order.id).update(
            facts=facts_to_json(facts),
            ord_status=derived.ord_status.value if derived.ord_status else None,
            order_qty=derived.order_qty,
            cum_qty=derived.cum_qty,
            leaves_qty=derived.leaves_qty,
            overfilled=derived.overfilled,
            is_open=derived.is_open,
            last_event_hash=new_id().bytes,
        )
    return 1
