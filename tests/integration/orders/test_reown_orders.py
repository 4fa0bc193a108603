"""The open orders of somebody who was cut off: whose they are from then on, what goes along, and what stays."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from authorisation.domain.principal import Principal, process_principal
from authorisation.models import User
from authorisation.services.cut_off_user import cut_off_user
from journal.models import Event
from kernel.errors import OmsError
from kernel.fix import ExecType, OrdStatus
from operations.fsck.prove import failing, prove
from operations.fsck.registry import BY_CODE
from operations.fsck.snapshot import snapshot_of_transaction
from operations.services.compare_replay import compare_replay
from orders.models import Order, OrderRequest
from orders.selectors.owned import count_owned, find_heirs
from orders.services import reown_orders as service
from orders.services.apply_reports import apply_reports
from orders.services.enter_staged import enter_staged
from orders.services.reown_orders import Reowned, reown_orders
from orders.services.watch_owners import watch_owners
from risk.models import DailyUsage, LimitUsage
from risk.services.start_counting import start_counting
from tests.factories import DeskWorld, make_account, make_desk, make_principal
from tests.factories.busy_day import busy_day
from tests.integration.orders.test_apply_reports import LATER, report, sent
from tests.integration.orders.test_staged import canceled, sound, stage
from tests.integration.orders.test_unmatched import open_anomalies
from tests.integration.orders.test_venue_rules import working

pytestmark = pytest.mark.django_db
D = Decimal
ADMIN = process_principal("test")
USAGE = ("ORDER_USAGE_DIFFERS", "LIMIT_USAGE_DIFFERS", "DAILY_USAGE_DIFFERS")


@pytest.fixture
def world() -> DeskWorld:
    return make_desk()


def heir(world: DeskWorld, name: str = "heir", **changes: Any) -> Principal:
    given = {"desks": (world.desk,), "groups": (world.group,)} | changes
    return make_principal(name, role="dealer", rights=("enter_order",), **given)


def cut_off(principal: Principal) -> None:
    cut_off_user(actor=ADMIN, at=LATER, user_id=principal.user_id, reason="leaves")


def reown(leaver: Principal, successor: Principal, **changes: Any) -> Reowned:
    given: dict[str, Any] = {
        "actor": ADMIN, "at": LATER, "user_id": leaver.user_id, "successor_id": successor.user_id, "reason": "leaves",
    } | changes  # fmt: skip
    return reown_orders(**given)


def owners() -> list[str]:
    return list(Order.objects.order_by("id").values_list("owner__username", flat=True))


def counted_right() -> bool:
    found = failing(prove(snapshot_of_transaction(at=LATER), [BY_CODE[code] for code in USAGE]))
    assert {one.check.code: one.examples for one in found} == {}
    return True


def test_every_open_order_of_a_busy_day_goes_over_and_the_journal_tells_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "SLICE", 2)
    day = busy_day()
    world = day.world
    after = heir(world)
    keys = [f"dealer:{world.dealer.user_id}", f"dealer:{after.user_id}"]
    start_counting(keys=keys, at=LATER)
    open_before = set(Order.objects.filter(owner=world.dealer.user_id, is_open=True).values_list("id", flat=True))
    rows: dict[UUID, dict[str, Any]] = {
        row["id"]: dict(row) for row in Order.objects.filter(id__in=open_before).values()
    }
    assert len(open_before) > 2
    cut_off(world.dealer)
    done = reown(world.dealer, after, at=LATER + timedelta(hours=1))
    assert (done.left, done.successor) == (0, "heir")
    assert done.moved >= len(open_before)
    changes = {"owner_id", "version", "last_event_seq", "last_event_hash", "updated_at"}
    for row in map(dict[str, Any], Order.objects.filter(id__in=open_before).values()):
        assert {name for name in row if row[name] != rows[row["id"]][name]} == changes
        assert row["owner_id"] == after.user_id
    told = Event.objects.filter(kind="OrderReowned")
    assert told.count() == done.moved
    first = told.first()
    assert first is not None
    assert (first.payload["owner_before"], first.payload["owner"], first.payload["reason"]) == (
        world.dealer.username, "heir", "leaves",
    )  # fmt: skip
    assert not Order.objects.filter(owner=world.dealer.user_id, is_open=True).exists()
    assert Order.objects.filter(owner=world.dealer.user_id).exists()  # what is over stays whose it was
    assert compare_replay().differences == []
    assert counted_right()
    assert reown(world.dealer, after).moved == 0
    assert told.count() == done.moved


def test_what_an_order_counts_and_traded_goes_along_and_not_more(world: DeskWorld) -> None:
    after = heir(world)
    old, new = f"dealer:{world.dealer.user_id}", f"dealer:{after.user_id}"
    start_counting(keys=[old, new], at=LATER)
    part, over = sent(world, "k1"), sent(world, "k2")
    trade = {"last_px": D("72.50")}
    apply_reports(
        reports=[
            report(part, 1, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=D(400), **trade),
            report(over, 2, ExecType.TRADE, OrdStatus.FILLED, last_qty=D(1000), **trade),
        ],
        at=LATER,
    )
    cut_off(world.dealer)
    reown(world.dealer, after)
    assert dict(LimitUsage.objects.filter(key__in=[old, new]).values_list("key", "open_orders")) == {old: 0, new: 1}
    assert dict(LimitUsage.objects.filter(key__in=[old, new]).values_list("key", "open_buy")) == {
        old: D(0),
        new: D(435),
    }
    assert dict(DailyUsage.objects.filter(key__in=[old, new]).values_list("key", "bought")) == {
        old: D(725),
        new: D(290),
    }
    assert counted_right()
    later = report(part, 3, ExecType.TRADE, OrdStatus.FILLED, last_qty=D(600), **trade)
    apply_reports(reports=[later], at=LATER)
    assert DailyUsage.objects.get(key=new).bought == D(725)
    assert counted_right()


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ("nobody", "RIGHT_MISSING"), ("active", "USER_STILL_ACTIVE"), ("unknown", "USER_UNKNOWN"),
        ("no successor", "USER_UNKNOWN"), ("self", "SUCCESSOR_UNFIT"), ("gone", "SUCCESSOR_UNFIT"),
        ("service", "SUCCESSOR_UNFIT"), ("enters nothing", "SUCCESSOR_UNFIT"), ("sees only", "SUCCESSOR_MAY_NOT_TRADE"),
        ("other desk", "SUCCESSOR_MAY_NOT_TRADE"), ("no reason", "REASON_INVALID"), ("long reason", "REASON_INVALID"),
    ],
)  # fmt: skip
def test_who_gives_what_to_whom(world: DeskWorld, case: str, code: str) -> None:
    order = sent(world)
    if case != "active":
        cut_off(world.dealer)
    far = make_desk("FX1")
    successor: Principal = {
        "self": lambda: world.dealer,
        "enters nothing": lambda: world.checker,
        "other desk": lambda: far.dealer,
        "sees only": lambda: heir(world, trades=False),
        "service": lambda: heir(world, kind=User.Kind.SERVICE),
    }.get(case, lambda: heir(world))()
    if case == "gone":
        User.objects.filter(pk=successor.user_id).update(is_active=False)
    changes: dict[str, dict[str, Any]] = {
        "nobody": {"actor": world.checker},
        "unknown": {"user_id": 999_999_999},
        "no successor": {"successor_id": 999_999_999},
        "no reason": {"reason": " "},
        "long reason": {"reason": "x" * 501},
    }
    with pytest.raises(OmsError) as refused:
        reown(world.dealer, successor, **changes.get(case, {}))
    assert refused.value.code == code
    assert Order.objects.get(id=order.order_id).owner_id == world.dealer.user_id
    assert not Event.objects.filter(kind="OrderReowned").exists()


def test_what_the_successor_may_not_trade_stays_and_is_told_until_somebody_takes_it(world: DeskWorld) -> None:
    far = make_desk("FX1")
    both = make_principal(
        "both", role="dealer", rights=("enter_order",), desks=(world.desk, far.desk), groups=(world.group, far.group)
    )
    for place in (world, far):
        place.dealer = both
    orders = [sent(world, "k1"), sent(world, "k2"), sent(far, "k3")]
    first, second = heir(world), heir(far, "second")
    half = heir(world, "half", groups=(far.group,))  # desk of one, account group of the other: neither
    places = count_owned(both.user_id)
    assert [(one.desk, one.group, one.orders) for one in places] == [("EQ1", "G-EQ1", 2), ("FX1", "G-FX1", 1)]
    heirs = {one.username: one.orders for one in find_heirs(both.user_id, places)}
    assert (heirs["heir"], heirs["second"], half.username in heirs, "both" in heirs) == (2, 1, False, False)
    assert watch_owners(at=LATER) == 0
    cut_off(both)
    assert (watch_owners(at=LATER), watch_owners(at=LATER)) == (1, 0)
    done = reown(both, first)
    assert (done.moved, done.left, owners()) == (2, 1, ["heir", "heir", "both"])
    assert (watch_owners(at=LATER), open_anomalies()) == (0, ["ORDERS_OWNER_GONE"])
    assert reown(both, second).left == 0
    assert (watch_owners(at=LATER), open_anomalies()) == (1, [])
    assert {order.order_id for order in orders} == set(Order.objects.values_list("id", flat=True))


def test_letting_in_again_settles_the_matter_too(world: DeskWorld) -> None:
    sent(world)
    cut_off(world.dealer)
    watch_owners(at=LATER)
    User.objects.filter(pk=world.dealer.user_id).update(is_active=True)
    assert (watch_owners(at=LATER), open_anomalies()) == (1, [])


def test_a_staged_replace_is_entered_for_the_successor(world: DeskWorld) -> None:
    order = working(world, replaceable=frozenset({"order_qty"}))
    stage(world, order)
    apply_reports(reports=[canceled(order, 3, cum_qty=0)], at=LATER)
    assert not Order.objects.get(id=order.order_id).is_open
    after = heir(world)
    cut_off(world.dealer)
    assert reown(world.dealer, after).moved == 1
    assert enter_staged(at=LATER) == 1
    new = Order.objects.get(replaces_id=order.order_id)
    assert (new.owner_id, new.is_open) == (after.user_id, True)
    assert OrderRequest.objects.get(order=new).on_behalf_of == f"user:{after.user_id}"
    assert sound()


def test_without_a_successor_a_staged_replace_ends_and_the_client_is_told(world: DeskWorld) -> None:
    order = working(world, replaceable=frozenset({"order_qty"}))
    stage(world, order)
    apply_reports(reports=[canceled(order, 3, cum_qty=0)], at=LATER)
    cut_off(world.dealer)
    assert enter_staged(at=LATER) == 1
    assert not Order.objects.filter(replaces_id=order.order_id).exists()
    assert open_anomalies() == ["STAGED_NOT_ENTERED"]


def test_an_account_group_beside_is_another_grant(world: DeskWorld) -> None:
    after = heir(world)
    beside = type(world.group).objects.create(code="G-OTHER", name="Other", desk=world.desk)
    world.account = make_account("ACC-OTHER", group=beside, cash="100000")
    world.dealer = heir(world, "leaver", groups=(beside,))
    sent(world)
    cut_off(world.dealer)
    with pytest.raises(OmsError, match="SUCCESSOR_MAY_NOT_TRADE"):
        reown(world.dealer, after)
