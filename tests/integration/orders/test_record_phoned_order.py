"""An order given by phone: on record by the venue's OrderID, its terms from the venue's first report."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from authorisation.domain.principal import Principal
from journal.models import Event
from kernel.errors import Conflict, Invalid, NotPermitted
from kernel.fix import ExecType, OrdStatus, Side
from orders.domain.report import Position, Report
from orders.domain.terms import ReplaceTerms
from orders.models import Execution, Order, OrderRequest
from orders.services.apply_reports import apply_reports
from orders.services.cancel_order import cancel_order
from orders.services.record_phoned_order import record_phoned_order
from orders.services.replace_order import replace_order
from tests.factories import AT, DeskWorld, make_desk, make_principal

pytestmark = pytest.mark.django_db(transaction=True)


def phone(world: DeskWorld, *, actor: Principal | None = None, symbol: str = "VOD.L", account: str = "") -> UUID:
    return record_phoned_order(
        actor=actor or world.dealer,
        at=AT,
        account=account or world.account.code,
        symbol=symbol,
        side=Side.BUY,
        session_group="SIM1",
        venue_order_id="V-77",
    )


def said(seq: int, **changes: object) -> Report:
    first = Report(
        msg_type="8",
        position=Position("1", seq),
        identity=f"V-77|{seq}",
        received_at=AT + timedelta(seconds=seq),
        event_at=AT + timedelta(seconds=seq),
        trade_date=AT.date(),
        exec_type=ExecType.NEW,
        ord_status=OrdStatus.NEW,
        venue_order_id="V-77",
        exec_id=str(seq),
        order_qty=Decimal(500),
        session="SIM1",
    )
    return replace(first, **changes)  # type: ignore[arg-type]


def test_the_venue_says_its_terms() -> None:
    world = make_desk()
    order_id = phone(world)
    order = Order.objects.get(id=order_id)
    assert (order.source, order.order_qty, order.cl_ord_id, order.ord_status) == ("phone", None, None, None)
    assert list(Event.objects.filter(stream=f"order:{order_id}").values_list("kind", flat=True)) == ["OrderPhoned"]
    trade = said(
        2, exec_type=ExecType.TRADE, ord_status=OrdStatus.PARTIALLY_FILLED, last_qty=Decimal(200), last_px=Decimal(70)
    )
    applied = apply_reports(reports=[said(1), trade], at=AT + timedelta(minutes=1))
    assert (applied.applied, applied.unmatched) == (2, 0)
    order.refresh_from_db()
    assert (order.ord_status, order.order_qty, order.cum_qty, order.leaves_qty) == (
        *("1", Decimal(500), Decimal(200), Decimal(300)),
    )
    assert Execution.objects.get().effective_qty == 200


def test_the_same_order_once() -> None:
    world = make_desk()
    phone(world)
    with pytest.raises(Conflict, match="VENUE_ORDER_KNOWN"):
        phone(world)
    assert Order.objects.count() == 1


def test_unknown_names_leave_nothing() -> None:
    world = make_desk()
    with pytest.raises(Invalid, match="SYMBOL_UNKNOWN"):
        phone(world, symbol="NOPE")
    with pytest.raises(Invalid, match="ACCOUNT_UNKNOWN"):
        phone(world, account="NOPE")
    assert (Order.objects.count(), Event.objects.filter(kind="OrderPhoned").count()) == (0, 0)


def test_only_who_trades_the_account_may() -> None:
    world = make_desk()
    stranger = make_principal("stranger", role="dealer", rights=("enter_order",))
    with pytest.raises(NotPermitted, match="TRADE_NOT_GRANTED"):
        phone(world, actor=stranger)
    assert Order.objects.count() == 0


def test_what_was_phoned_is_changed_by_phone() -> None:
    world = make_desk()
    order_id = phone(world)
    apply_reports(reports=[said(1)], at=AT)
    before = Event.objects.count()
    with pytest.raises(Conflict) as canceled:
        cancel_order(
            actor=world.dealer, at=AT, idempotency_key="c", route="ticket", order_id=order_id, reason="client called"
        )
    with pytest.raises(Conflict) as replaced:
        replace_order(
            actor=world.dealer,
            at=AT,
            idempotency_key="r",
            route="ticket",
            order_id=order_id,
            terms=ReplaceTerms(order_qty=Decimal(600)),
        )
    assert (canceled.value.code, replaced.value.code) == ("ORDER_PHONED", "ORDER_PHONED")
    assert (Event.objects.count(), OrderRequest.objects.filter(order_id=order_id).count()) == (before, 0)
