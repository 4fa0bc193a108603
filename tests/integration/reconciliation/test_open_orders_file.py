"""A venue's list of open orders: compared, never booked; what differs is for a person."""

from __future__ import annotations

import pytest

from accounts.models import Booking
from orders.models import Order, OrderRequest
from tests.factories import AT
from tests.factories.trading import Desk
from tests.integration.reconciliation.test_take_in import codes, taken

pytestmark = pytest.mark.django_db


def test_orders_are_found_by_name_and_differences_wait() -> None:
    desk = Desk()
    agreeing, missing, over = desk.buy(), desk.buy(), desk.buy()
    desk.send(at=AT)
    for order in (agreeing, missing, over):
        desk.say(order, "0", "0", t38=1000, t14=0, t151=1000)
    desk.say(over, "4", "4", t38=1000, t14=0, t151=0)
    over.refresh_from_db()
    assert not over.is_open
    bookings = Booking.objects.count()

    def named(order: Order) -> str:
        return OrderRequest.objects.get(order=order).cl_ord_id

    rows = "".join(f"{name},XLON,buy,new,1000,0,1000\n" for name in (named(agreeing), named(over), "NOBODY.1"))
    intake = taken(
        "cl_ord_id,mic,side,ord_status,order_qty,cum_qty,leaves_qty\n" + rows, kind="open_orders", source="SIM1"
    )

    assert (intake.state, intake.rows, intake.changed, intake.unchanged) == ("waiting", 3, 0, 1)
    assert codes(intake) == {"ORDER_NOT_OPEN": 1, "ORDER_UNKNOWN": 1, "ORDER_NOT_LISTED": 1}
    assert Booking.objects.count() == bookings
