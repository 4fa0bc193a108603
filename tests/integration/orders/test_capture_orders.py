"""A batch: good rows are kept, each with its own answer, and the rows see what the ones before them took."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from accounts.models import CashBalance, Reservation
from journal.models import Event
from kernel.errors import Conflict
from kernel.fix import OrdType
from orders.models import Order, OrderRequest
from orders.services import capture_orders as module
from orders.services.capture_orders import capture_orders
from risk.domain.checks import CHECKS
from tests.factories import AT, DeskWorld, make_desk, terms

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def test_one_bad_row_loses_no_good_one(world: DeskWorld) -> None:
    rows = [
        ("1", terms(world)),
        ("2", terms(world, order_qty=Decimal("NaN"))),
        ("3", terms(world, symbol="NOPE")),
        ("4", terms(world, account="OTHER")),
        ("5", terms(world, price=Decimal("72.505"))),
        ("6", terms(world, order_qty=Decimal(55000))),
        ("7", terms(world, ord_type=OrdType.MARKET, price=None)),
    ]
    results = capture_orders(actor=world.dealer, at=AT, idempotency_key="b1", route="batch", rows=rows, source="api")
    assert [(row.client_row_id, row.outcome, row.code) for row in results] == [
        ("1", "released", ""),
        ("2", "invalid", "TERMS_INVALID"),
        ("3", "invalid", "SYMBOL_UNKNOWN"),
        ("4", "invalid", "ACCOUNT_UNKNOWN"),
        ("5", "refused", ""),
        ("6", "pending_authorisation", ""),
        ("7", "released", ""),
    ]
    assert Order.objects.count() == 4
    assert Reservation.objects.count() == 3
    assert CashBalance.objects.get().reserved == Decimal("725.00") + Decimal("39875.00") + Decimal("761.25")
    assert Event.objects.filter(stream__startswith="order:").count() == 8


def test_rows_cannot_spend_the_same_cash(world: DeskWorld) -> None:
    CashBalance.objects.update(settled=Decimal("1500"))
    rows = [(str(number), terms(world)) for number in range(4)]
    results = capture_orders(actor=world.dealer, at=AT, idempotency_key="b1", route="batch", rows=rows, source="api")
    assert [row.outcome for row in results] == ["released", "released", "refused", "refused"]
    assert CashBalance.objects.get().reserved == Decimal("1450.00")


def test_the_same_key_answers_again_and_other_rows_conflict(world: DeskWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CHUNK", 2)
    rows = [(str(number), terms(world)) for number in range(5)]
    arguments: dict[str, Any] = {
        "actor": world.dealer,
        "at": AT,
        "idempotency_key": "b1",
        "route": "batch",
        "source": "api",
    }
    first = capture_orders(rows=rows, **arguments)
    again = capture_orders(rows=rows, **arguments)
    assert [row.result.order_id for row in again if row.result] == [row.result.order_id for row in first if row.result]
    assert all(
        row.result is not None and row.result.replayed and len(row.result.checks) == len(CHECKS) for row in again
    )
    with pytest.raises(Conflict, match="IDEMPOTENCY_CONFLICT"):
        capture_orders(rows=rows[:4], **arguments)
    assert (Order.objects.count(), OrderRequest.objects.count()) == (5, 5)
