"""An intention is stamped before the first execution or not at all, once for the same words, and only by who may."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import CashBalance
from allocations.models import IntendedAllocation
from allocations.services.intend_allocation import intend_allocation
from authorisation.domain.principal import Principal
from journal.selectors import stream_records
from kernel.errors import OmsError
from kernel.fix import ExecType, OrdStatus
from orders.services.apply_reports import apply_reports
from tests.factories import AT, DeskWorld, make_account, make_desk
from tests.factories.allocations import make_wash_account
from tests.integration.orders.test_apply_reports import report, sent

pytestmark = pytest.mark.django_db
LINES = [{"account": "C-1", "target": "600"}, {"account": "C-2", "target": "400", "house": True}]


@pytest.fixture
def world() -> DeskWorld:
    made = make_desk()
    for code in ("C-1", "C-2"):
        make_account(code, group=made.group)
    wash = make_wash_account(made)
    return replace(made, account=wash.account)


def dealer(world: DeskWorld) -> Principal:
    return replace(world.dealer, rights=world.dealer.rights | {"allocate_block"})


def intend(world: DeskWorld, order_id: Any, **changes: Any) -> IntendedAllocation:
    asked: dict[str, Any] = {
        "actor": dealer(world),
        "at": AT,
        "order_id": order_id,
        "method": "pro_rata",
        "lines": LINES,
    }
    return intend_allocation(**(asked | changes))


def test_it_is_stamped_before_the_first_execution_and_never_after(world: DeskWorld) -> None:
    CashBalance.objects.filter(account=world.account).update(settled=Decimal(100_000))
    order = sent(world)
    first = intend(world, order.order_id)
    again = intend(world, order.order_id)
    other = intend(world, order.order_id, lines=LINES[:1], parameters={"lot": "100"})

    assert (first.version, again.version, other.version) == (1, 1, 2)
    assert IntendedAllocation.objects.count() == 2
    events = stream_records(f"block-order:{order.order_id}")
    assert [event.kind for event in events] == ["AllocationIntended"] * 2
    assert events[1].payload["lines"] == [{"account": "C-1", "target": "600"}]
    assert events[1].id == other.event_id

    trade = report(order, 2, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=Decimal(1), last_px=Decimal("72.4"))
    apply_reports(reports=[trade], at=AT)
    assert intend(world, order.order_id, lines=LINES[:1], parameters={"lot": "100"}).version == 2  # nothing new is said
    for changes, code in (
        ({}, "INTENT_LATE"),
        ({"actor": world.dealer}, "RIGHT_MISSING"),
        ({"actor": replace(dealer(world), grants={})}, "ORDER_UNKNOWN"),
        ({"actor": replace(dealer(world), grants={k: v for k, v in world.dealer.grants.items() if "view" in k})}, "TRADE_NOT_GRANTED"),
        ({"method": "by_favour"}, "METHOD_UNKNOWN"),
        ({"lines": []}, "LINES_MISSING"),
        ({"lines": [{"account": "C-1", "target": 600}]}, "LINES_INVALID"),
        ({"lines": [{"account": "C-9", "target": "1"}]}, "ACCOUNT_UNKNOWN"),
        ({"parameters": {"luck": "7"}}, "PARAMETERS_INVALID"),
    ):  # fmt: skip
        with pytest.raises(OmsError) as refused:
            intend(world, order.order_id, **changes)
        assert refused.value.code == code
    assert IntendedAllocation.objects.count() == 2


def test_an_order_for_a_client_is_nothing_to_allocate() -> None:
    world = make_desk()
    order = sent(world)
    with pytest.raises(OmsError) as refused:
        intend(world, order.order_id)
    assert refused.value.code == "NOT_A_BLOCK_ORDER"
