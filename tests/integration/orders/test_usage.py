"""What orders count of their scopes' limits, door by door and report by report, and what the checks then answer."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authorisation.models import AuthorisationRequest
from journal.models import Event
from kernel.errors import Invalid
from kernel.fix import Side
from kernel.ids import new_id
from operations.views.ticket import closest
from orders.domain.results import CaptureResult
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.decide_order_request import decide_order_request
from orders.services.preview_order import preview_order
from orders.services.preview_replace import preview_replace
from orders.services.replace_order import replace_order
from risk.models import DailyUsage, LimitUsage, OrderUsage
from risk.services.start_counting import start_counting
from tests.factories import AT, DeskWorld, give_stock, make_desk, set_mark, terms
from tests.factories.trading import Desk
from tests.integration.orders.test_venue_rules import working

pytestmark = pytest.mark.django_db
D = Decimal
DAY = date(2026, 11, 20)


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def capture(world: DeskWorld, *, source: str = "api", **changes: Any) -> CaptureResult:
    return capture_order(
        actor=world.dealer,
        at=AT,
        idempotency_key=str(new_id()),
        route="api",
        terms=terms(world, **changes),
        source=source,
    )


def replace(world: DeskWorld, order_id: Any, **changes: Any) -> Any:
    return replace_order(
        actor=world.dealer, at=AT, idempotency_key=str(new_id()), route="api", order_id=order_id,
        terms=ReplaceTerms(**changes),
    )  # fmt: skip


def used(key: str = "firm:") -> tuple[int, Decimal, Decimal]:
    row = LimitUsage.objects.get(key=key)
    return (row.open_orders, row.open_buy, row.open_sell)


def traded(key: str) -> tuple[Decimal, Decimal]:
    row = DailyUsage.objects.get(key=key, business_date=DAY)
    return (row.bought, row.sold)


def test_an_order_counts_in_every_counted_scope_and_a_refused_one_in_none(world: DeskWorld) -> None:
    set_mark("open_notional", "10000")
    set_mark("open_orders", "10", scope="account", scope_id=world.account.id)
    set_mark("open_orders", "10", scope="strategy", scope_id="VWAP")
    capture(world)
    capture(world, strategy="VWAP")
    assert capture(world, order_qty=D(200_000)).outcome == "refused"
    assert used() == (2, D("1450"), D(0)) == used(f"account:{world.account.id}")
    assert used("strategy:VWAP") == (1, D("725"), D(0))
    assert OrderUsage.objects.count() == 2


def test_the_order_that_fills_the_limit_passes_and_the_next_is_refused_with_what_it_saw(world: DeskWorld) -> None:
    set_mark("open_notional", "1450", scope="desk", scope_id=world.desk.pk)
    assert [capture(world).outcome for _ in range(3)] == ["released", "released", "refused"]
    refused = Order.objects.get(is_open=False).requests.get()
    answer = next(item for item in refused.checks if item["code"] == "OPEN_NOTIONAL_LIMIT")
    assert [D(answer["facts"][name]) for name in ("before", "after", "hard")] == [D(1450), D(2175), D(1450)]
    assert answer["facts"]["usage_version"] == 2
    assert refused.outcome_code == "OPEN_NOTIONAL_LIMIT"


def test_above_the_warning_a_second_person_whose_approval_is_judged_on_the_usage_of_then(world: DeskWorld) -> None:
    mark = set_mark("open_notional", "5000", warn="700")
    held = capture(world)
    assert (held.outcome, used()) == ("pending_authorisation", (1, D(725), D(0)))
    mark.hard = D("724")
    mark.warn = None
    mark.save()
    asked = AuthorisationRequest.objects.get()
    result = decide_order_request(
        actor=world.checker, at=AT, authorisation_id=asked.id, verdict="approve", reason_code="OTHER", reason="x",
        payload_hash=asked.payload_hash,
    )  # fmt: skip
    assert result.outcome == "not_applied"
    assert "The open value of the firm" in result.sentence
    assert used() == (0, D(0), D(0))


def test_open_orders_above_the_warning_ask_the_dealer(world: DeskWorld) -> None:
    set_mark("open_orders", "5", warn="1")
    capture(world)
    assert capture(world).outcome == "pending_authorisation"  # off the desk nobody can acknowledge
    preview = preview_order(actor=world.dealer, at=AT, terms=terms(world), source="ticket")
    assert preview.worst.word == "acknowledge"


def test_a_replace_counts_the_worse_of_old_and_new_and_one_to_less_passes_a_full_limit(world: DeskWorld) -> None:
    set_mark("open_notional", "1000")
    desk_order = _sent(world)
    assert replace(world, desk_order.id, order_qty=D(2000)).outcome == "refused"
    assert used() == (1, D(725), D(0))
    assert replace(world, desk_order.id, order_qty=D(1300)).outcome == "released"
    assert used() == (1, D("942.5"), D(0))
    LimitUsage.objects.update(open_buy=D(5000))  # as if others had gone far above it
    replace(world, desk_order.id, order_qty=D(500))
    assert _answer(desk_order, "OPEN_NOTIONAL_LIMIT")["verdict"] == "pass"


def _answer(order: Order, code: str) -> dict[str, Any]:
    request = order.requests.order_by("-seq").first()
    assert request is not None
    found: dict[str, Any] = next(item for item in request.checks if item["code"] == code)
    return found


def _sent(world: DeskWorld) -> Order:
    order = Order.objects.get(id=capture(world).order_id)
    order.requests.update(state="handed_over")
    return order


def test_a_preview_of_a_replace_says_how_close_it_comes_and_leaves_no_trace(world: DeskWorld) -> None:
    set_mark("open_notional", "2000")
    result = working(world)
    events = Event.objects.count()
    with CaptureQueriesContext(connection) as asked:
        (close,) = preview_replace(
            actor=world.dealer, at=AT, order_id=result.order_id, terms=ReplaceTerms(order_qty=D(2000))
        )
    assert (close.kind, close.before, close.after, close.hard) == ("open_notional", D(725), D(1450), D(2000))
    (less,) = preview_replace(actor=world.dealer, at=AT, order_id=result.order_id, terms=ReplaceTerms(order_qty=D(500)))
    assert (less.before, less.after) == (D(725), D(725))  # the larger of both while it is open
    assert not [one["sql"] for one in asked if "FOR UPDATE" in one["sql"] or "FOR NO KEY" in one["sql"]]
    assert (Event.objects.count(), OrderRequest.objects.filter(kind="replace").count()) == (events, 0)
    with pytest.raises(Invalid, match="CHANGES_NOTHING"):
        preview_replace(actor=world.dealer, at=AT, order_id=result.order_id, terms=ReplaceTerms(order_qty=D(1000)))


def test_cancel_before_sending_gives_it_back(world: DeskWorld) -> None:
    set_mark("open_orders", "5")
    order_id = capture(world).order_id
    cancel_order(actor=world.dealer, at=AT, idempotency_key="c", route="api", order_id=order_id, reason="")
    assert used() == (0, D(0), D(0))


def test_a_child_frees_nothing_of_its_parent_while_parents_are_at_the_venue_themselves(world: DeskWorld) -> None:
    """Both can trade: were a parent counted less for its children, one share entered below it would empty the limit."""
    set_mark("open_notional", "1500")
    parent = capture(world)
    child = capture(world, parent_id=parent.order_id)
    assert LimitUsage.objects.get(key="firm:").open_buy == D(1450)
    assert capture(world, parent_id=child.order_id).outcome == "refused"


def test_rows_of_a_batch_see_what_the_rows_before_took(world: DeskWorld) -> None:
    set_mark("open_notional", "1450")
    set_mark("position_qty", "2000")
    rows = [(str(n), terms(world)) for n in range(3)]
    answers = capture_orders(actor=world.dealer, at=AT, idempotency_key="b", route="b", rows=rows, source="api")
    assert [row.outcome for row in answers] == ["released", "released", "refused"]
    assert {a.code for a in answers[2].result.checks if a.verdict.word == "refuse"} == {  # type: ignore[union-attr]
        "OPEN_NOTIONAL_LIMIT", "POSITION_QUANTITY_LIMIT",
    }  # fmt: skip
    assert used() == (2, D(1450), D(0))


def test_positions_count_open_orders_and_a_sale_out_of_a_breached_one_passes(world: DeskWorld) -> None:
    give_stock(world.account, world.listing, "1500")
    set_mark("position_qty", "2000", scope="instrument", scope_id=world.listing.instrument_id)
    assert capture(world, order_qty=D(500)).outcome == "released"
    assert capture(world, order_qty=D(10)).outcome == "refused"
    assert capture(world, order_qty=D(1500), side=Side.SELL).outcome == "released"


def test_fills_move_value_from_open_to_the_day_and_a_bust_takes_it_back() -> None:
    desk = Desk()
    set_mark("daily_gross", "1000000")
    order = desk.buy()
    desk.send(at=AT)
    desk.say(order, "F", "1", exec_id="T1", t38=1000, t32=400, t31="72", t14=400, t151=600)
    assert used() == (1, D("435"), D(0))
    assert traded("firm:") == (D("288"), D(0))
    desk.say(order, "F", "1", exec_id="T1", t38=1000, t32=400, t31="72", t14=400, t151=600)  # told twice, counted once
    assert traded("firm:") == (D("288"), D(0))
    desk.say(order, "H", "0", exec_id="T2", t19="T1", t38=1000, t32=400, t31="72", t14=0, t151=1000)
    assert (used(), traded("firm:")) == ((1, D("725"), D(0)), (D(0), D(0)))
    desk.say(order, "4", "4", t38=1000, t14=0, t151=0)
    assert used() == (0, D(0), D(0))


def test_counting_that_begins_late_sums_up_what_is_open_and_what_was_traded() -> None:
    desk = Desk()
    order = desk.buy()
    desk.send(at=AT)
    desk.say(order, "F", "1", exec_id="T1", t38=1000, t32=400, t31="72", t14=400, t151=600)
    key = f"desk:{desk.world.desk.pk}"
    assert start_counting(keys=[key], at=AT) == (key,)
    assert start_counting(keys=[key], at=AT) == ()
    assert (used(key), traded(key)) == ((1, D("435"), D(0)), (D("288"), D(0)))


def test_a_mark_whose_scope_is_not_counted_refuses(world: DeskWorld) -> None:
    set_mark("open_orders", "5")
    LimitUsage.objects.all().delete()
    assert capture(world).outcome == "refused"


def test_a_value_without_a_fresh_rate_refuses(world: DeskWorld) -> None:
    set_mark("open_notional", "100000")
    world.listing.currency = "USD"
    world.listing.save()
    result = capture(world)
    codes = {a.code for a in result.checks if a.verdict.word == "refuse"}
    assert "OPEN_NOTIONAL_LIMIT" in codes


def test_a_preview_says_how_close_the_order_comes_to_each_mark(world: DeskWorld) -> None:
    set_mark("open_notional", "2900", scope="desk", scope_id=world.desk.pk)
    set_mark("open_orders", "10")
    capture(world)
    preview = preview_order(actor=world.dealer, at=AT, terms=terms(world), source="ticket")
    assert [(item.kind, item.place, item.before, item.after) for item in preview.closeness] == [
        ("open_notional", "the desk", D(725), D(1450)),
        ("open_orders", "the firm", D(1), D(2)),
    ]
    assert closest(preview.closeness) == [
        "25% → 50% of open value of the desk",
        "10% → 20% of open orders of the firm",
    ]
