"""Beyond a limit by facts, and limits lowered under open orders: told once, cleared when over, canceled where the change says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from authorisation.models import AuthorisationRequest
from journal.models import Event
from journal.services.run_listener import run_listener
from orders.models import Order
from orders.services import on_limit_changed
from orders.services.watch_limits import watch_limits
from refdata.models import Listing
from risk.domain.limit_change import LimitChange
from risk.domain.usage import ScopeUsage
from risk.models import Limit, LimitUsage
from risk.selectors.breaches import used_most
from risk.services.begin_limits import begin_limits
from risk.services.decide_limit_change import decide_limit_change
from risk.services.request_limit_change import request_limit_change
from tests.factories import AT, DeskWorld, give_stock, make_desk, make_listing, make_principal, set_mark
from tests.integration.orders.test_usage import capture

pytestmark = pytest.mark.django_db
D = Decimal
FIRM = LimitChange("firm", "", "open_notional", "GBP", None, D(800), "m.ruiz")


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def lower(change: LimitChange = FIRM) -> None:
    maker = make_principal("asks", role="asks", rights=("ask_risk_change",))
    checker = make_principal("says", role="says", rights=("decide_risk_change",))
    asked = request_limit_change(actor=maker, at=AT, change=change, reason="Calmer")
    request = AuthorisationRequest.objects.get(id=asked.authorisation_id)
    decide_limit_change(
        actor=checker, at=AT, authorisation_id=request.id, verdict="approve", reason_code="OTHER", reason="x",
        payload_hash=request.payload_hash,
    )  # fmt: skip


def listen() -> None:
    run_listener(name="orders.limits", kinds=("LimitChanged", "LimitBegan"), handle=on_limit_changed.handle, at=AT)


def told(kind: str) -> list[tuple[str, Any]]:
    """(event kind, evidence) of the anomalies of a kind, oldest first."""
    rows = Event.objects.filter(kind__in=["AnomalyRaised", "AnomalyCleared"]).order_by("position")
    return [(row.kind, row.payload["evidence"]) for row in rows if row.payload["kind"] == kind]


def test_a_scope_beyond_its_limit_is_told_once_and_cleared_when_within(world: DeskWorld) -> None:
    set_mark("open_notional", "1000")
    capture(world)
    assert watch_limits(at=AT) == 0
    Limit.objects.filter(kind="open_notional").update(hard=D(700))
    assert (watch_limits(at=AT), watch_limits(at=AT)) == (1, 0)
    kind, evidence = told("LIMIT_BREACHED")[0]
    assert (kind, evidence["used"], evidence["hard"], len(evidence["orders"])) == ("AnomalyRaised", "725", "700", 1)
    Limit.objects.filter(kind="open_notional").update(hard=D(725))  # at the limit is within it
    assert (watch_limits(at=AT), watch_limits(at=AT)) == (1, 0)
    assert [kind for kind, _ in told("LIMIT_BREACHED")] == ["AnomalyRaised", "AnomalyCleared"]


def test_a_position_beyond_its_limit_is_told(world: DeskWorld) -> None:
    give_stock(world.account, world.listing, "1500")
    set_mark("position_qty", "1500", scope="account", scope_id=world.account.id)
    set_mark("position_qty", "1", scope="account", scope_id=world.desk.pk)
    assert watch_limits(at=AT) == 0
    set_mark("position_qty", "1499", scope="desk", scope_id=world.desk.pk)
    assert watch_limits(at=AT) == 1
    assert told("LIMIT_BREACHED")[0][1]["used"] == "1500"


@pytest.mark.parametrize(
    ("kind", "at", "beyond", "used"),
    [
        ("position_value", "1087.5", "1087", "1087.5"),  # 1,500 at 72.50 pence
        ("concentration", "0.6", "0.5999", "0.6"),  # beside 500 at 1.45
        ("adv_share", "0.15", "0.1499", "0.15"),  # of 10,000
    ],
)
def test_value_and_shares_of_a_position_beyond_their_limits_are_told(
    world: DeskWorld, kind: str, at: str, beyond: str, used: str
) -> None:
    other = make_listing("BARC.L", last="145")
    Listing.objects.filter(id=world.listing.id).update(average_daily_volume=D(10_000))
    give_stock(world.account, world.listing, "1500")
    give_stock(world.account, other, "500")
    scope: dict[str, Any] = {"scope": "account", "scope_id": world.account.id}
    set_mark(kind, at, **scope)
    assert watch_limits(at=AT) == 0
    set_mark(kind, beyond, **scope)
    assert (watch_limits(at=AT), watch_limits(at=AT)) == (1, 0)
    ((_, evidence),) = told("LIMIT_BREACHED")
    assert D(evidence["used"]) == D(used)


def test_a_figure_that_cannot_be_said_is_beyond_nothing_and_hides_no_other(world: DeskWorld) -> None:
    give_stock(world.account, make_listing("BARC.L", last=None), "500")
    give_stock(world.account, world.listing, "1500")
    set_mark("concentration", "0.01", scope="account", scope_id=world.account.id)
    set_mark("adv_share", "0.01")
    assert watch_limits(at=AT) == 0
    set_mark("position_value", "1000")
    assert watch_limits(at=AT) == 1
    assert told("LIMIT_BREACHED")[0][1]["used"] == "1087.5"


def test_a_scope_is_beyond_its_day_as_soon_as_it_is_on_the_date_of_one_market() -> None:
    today, tomorrow = AT.date(), AT.date() + timedelta(days=1)
    usage = ScopeUsage("firm", "", 1, 0, D(0), D(0), {today: (D(100), D(0)), tomorrow: (D(300), D(0))})
    days = {"XLON": today, "XASX": tomorrow}
    assert used_most(usage, "daily_gross", days) == D(300)
    assert used_most(usage, "daily_gross", {"XLON": today}) == D(100)
    assert used_most(replace(usage, scope="venue", scope_id="XLON"), "daily_gross", days) == D(100)
    assert used_most(usage, "daily_gross", {}) is None


def test_a_lowered_limit_lists_the_newest_orders_that_no_longer_fit_and_keeps_them(world: DeskWorld) -> None:
    set_mark("open_notional", "10000")
    refs = [capture(world).ref for _ in range(3)]
    lower()
    listen()
    ((_, evidence),) = told("LIMIT_LOWERED")
    assert (evidence["orders"], evidence["canceling"]) == ([refs[2], refs[1]], [])
    assert Order.objects.filter(is_open=True).count() == 3


def test_where_the_change_says_so_they_are_canceled_until_it_holds(world: DeskWorld) -> None:
    set_mark("open_notional", "10000")
    refs = [capture(world).ref for _ in range(3)]
    lower(replace(FIRM, on_breach="cancel"))
    listen()
    listen()
    assert list(Order.objects.filter(is_open=True).values_list("ref", flat=True)) == [refs[0]]
    assert LimitUsage.objects.get(key="firm:").open_buy == D(725)
    ((_, evidence),) = told("LIMIT_LOWERED")
    assert evidence["canceling"] == [refs[2], refs[1]]


def test_a_dated_limit_settles_what_is_open_when_it_begins_and_once(world: DeskWorld) -> None:
    set_mark("open_notional", "10000")
    refs = [capture(world).ref for _ in range(3)]
    hour = timedelta(hours=1)
    lower(replace(FIRM, effective_from=AT + hour, effective_until=AT + 2 * hour, on_breach="cancel"))
    listen()
    assert (begin_limits(at=AT + hour - timedelta(seconds=1)), told("LIMIT_LOWERED")) == (0, [])
    assert [begin_limits(at=AT + hour), begin_limits(at=AT + hour)] == [1, 0]
    listen()
    listen()
    assert list(Order.objects.filter(is_open=True).values_list("ref", flat=True)) == [refs[0]]
    ((_, evidence),) = told("LIMIT_LOWERED")
    assert evidence["canceling"] == [refs[2], refs[1]]


def test_a_limit_until_a_time_begins_at_once_and_one_that_is_over_never(world: DeskWorld) -> None:
    set_mark("open_notional", "10000")
    refs = [capture(world).ref for _ in range(2)]
    lower(replace(FIRM, effective_until=AT + timedelta(hours=1)))
    listen()
    assert told("LIMIT_LOWERED") == []
    assert begin_limits(at=AT + timedelta(hours=1)) == 0
    assert begin_limits(at=AT) == 1
    listen()
    assert told("LIMIT_LOWERED")[0][1]["orders"] == [refs[1]]


def test_a_lowered_limit_on_one_order_finds_those_larger_than_it(world: DeskWorld) -> None:
    small, large = capture(world), capture(world, order_qty=D(2000))
    lower(LimitChange("firm", "", "order_qty", "", None, D(1000), "m.ruiz", on_breach="cancel"))
    listen()
    assert list(Order.objects.filter(is_open=True).values_list("ref", flat=True)) == [small.ref]
    assert told("LIMIT_LOWERED")[0][1]["orders"] == [large.ref]
