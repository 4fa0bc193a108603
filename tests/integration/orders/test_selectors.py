"""What an actor finds and what does not exist for it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kernel.errors import NotFound
from kernel.fix import ExecType, OrdStatus
from orders.selectors import count_open_orders, find_orders, get_order, get_order_story, list_orders, names_in
from orders.services.apply_reports import apply_reports
from tests.factories import DeskWorld, make_desk
from tests.integration.orders.test_apply_reports import LATER, report, sent

pytestmark = pytest.mark.django_db


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def test_pages_follow_each_other_without_gap_or_repetition(world: DeskWorld) -> None:
    made = [sent(world, f"k{number}").order_id for number in range(5)]
    seen, cursor = [], None
    for _ in range(3):
        page = list_orders(actor=world.dealer, limit=2, before=cursor, open_only=True, symbol="vod.l")
        seen += [order.id for order in page.orders]
        cursor = page.next_cursor
    assert (seen, cursor) == (made[::-1], None)
    assert count_open_orders(world.dealer) == 5


def test_another_desk_sees_nothing(world: DeskWorld) -> None:
    other = make_desk("EQ2")
    order = sent(world)
    assert list_orders(actor=other.dealer).orders == ()
    assert find_orders(actor=other.dealer, text=order.ref) == []
    with pytest.raises(NotFound):
        get_order(actor=other.dealer, order_id=order.order_id)


def test_an_order_is_found_by_every_name_it_has(world: DeskWorld) -> None:
    order = sent(world, client_order_id="PM-7")
    fill = report(
        order,
        1,
        ExecType.TRADE,
        OrdStatus.PARTIALLY_FILLED,
        last_qty=Decimal(1),
        last_px=Decimal("72.5"),
        exec_id="X77",
    )
    apply_reports(reports=[fill], at=LATER)
    line = f"8=FIX.4.4|9=100|35=8|11=OTHER|37=V1|17=NONE|10=000|41={order.cl_ord_id}"
    for text in (order.ref.lower(), order.cl_ord_id, "V1", "X77", "PM-7", str(order.order_id), line):
        assert [row.id for row in find_orders(actor=world.dealer, text=text)] == [order.order_id], text
    assert find_orders(actor=world.dealer, text="  ") == []
    assert names_in("8=FIX.4.4\x0135=8\x0111=A1\x0137=NONE\x01") == ["A1"]


def test_a_story_has_requests_executions_and_events(world: DeskWorld) -> None:
    order = sent(world)
    story = get_order_story(actor=world.dealer, order_id=order.order_id)
    assert (len(story.requests), len(story.executions), len(story.events)) == (1, 0, 3)
