"""A bust at every stage of a direct trade and of a block: what was booked, told and confirmed ends as if the trade had never been."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Booking, CashBalance, Holding
from allocations.domain.telling import told
from allocations.models import Allocation, Block, FeedEntry, SettlementInstruction
from allocations.services import on_allocated_feed, on_allocated_settle
from allocations.services.cascade_blocks import SETTLED_TRADE_CHANGED, cascade_blocks
from allocations.services.complete_blocks import complete_blocks
from journal.models import Event
from journal.selectors import stream_records
from journal.services.run_listener import run_listener
from kernel.fix import OrdStatus
from kernel.ids import new_id
from orders.domain.results import CaptureResult
from tests.factories import AT, DeskWorld, charge_as_published, make_desk
from tests.integration.allocations.test_blocks import bust, fill, listen, sums
from tests.integration.orders.test_apply_reports import sent

pytestmark = pytest.mark.django_db
D = Decimal
LATER = AT + timedelta(minutes=5)
TOLD = (
    "AllocationBooked", "AllocationReversed", "AllocationCompensated", "DirectTradesFormed",
    "DirectTradesReversed", "DirectTradesCompensated",
)  # fmt: skip


@pytest.fixture
def world() -> DeskWorld:
    made = make_desk(cash="1000000")
    charge_as_published()
    return made


def traded(world: DeskWorld) -> CaptureResult:
    """1,000 in two executions for the client's own account, booked."""
    order = sent(world)
    fill(order, 2, 400, "72.40")
    fill(order, 3, 600, "72.50", OrdStatus.FILLED)
    listen()
    assert complete_blocks(at=AT) == 1
    return order


def instructions() -> list[tuple[str, str, Decimal]]:
    while run_listener(name="allocations.settle", kinds=TOLD, handle=on_allocated_settle.handle, at=LATER).handled:
        pass
    rows = SettlementInstruction.objects.order_by("allocation__number", "version")
    return list(rows.values_list("delivery", "state", "qty"))


def feed() -> list[tuple[str, str, int]]:
    while run_listener(name="allocations.feed", kinds=TOLD, handle=on_allocated_feed.handle, at=LATER).handled:
        pass
    return list(FeedEntry.objects.order_by("position").values_list("what", "trade_ref", "version"))


def settle(line: Allocation) -> None:
    """All of it changed hands."""
    SettlementInstruction.objects.create(
        id=new_id(), ref=f"S{line.number}-1", allocation=line, version=1, account=line.account,
        instrument_id=line.block.instrument_id, delivery="RECE", qty=line.qty, amount=abs(line.net), currency="GBP",
        trade_date=line.trade_date, settlement_date=line.settlement_date, created_at=AT, event_id=new_id(),
    )  # fmt: skip
    for state in ("instructed", "settled"):
        SettlementInstruction.objects.update(state=state, settled_qty=line.qty if state == "settled" else 0)


def standing() -> list[tuple[Any, ...]]:
    rows = Allocation.objects.exclude(state="reversed").order_by("number")
    return list(rows.values_list("side", "qty", "gross", "net", "is_rounding", "state"))


def pending_by_day(what: str) -> dict[date, Decimal]:
    rows = Booking.objects.filter(layer="pending").filter(
        **({"currency": "GBP"} if what == "cash" else {"currency": ""})
    )
    found: dict[date, Decimal] = {}
    for day, amount in rows.values_list("settlement_date", "amount"):
        found[day] = found.get(day, D(0)) + amount
    return {day: amount for day, amount in found.items() if amount}


def raised(kind: str) -> int:
    return Event.objects.filter(kind="AnomalyRaised", payload__kind=kind).count()


def test_before_it_settles_a_direct_trade_is_undone_and_told_anew(world: DeskWorld) -> None:
    order = traded(world)
    old = Allocation.objects.get()
    assert instructions() == [("RECE", "waiting", D(1000))]
    bust(order, 4, of=2)
    listen()

    assert (cascade_blocks(at=LATER), cascade_blocks(at=LATER)) == (1, 0)
    block, now = Block.objects.get(), Allocation.objects.get(state="booked")
    assert (block.state, block.round, sums(block)[0]) == ("booked", 2, D(600))
    assert (now.qty, now.gross, now.round) == (D(600), D("-435.00"), 2)
    cash = CashBalance.objects.get(account=world.account)
    assert now.net == cash.pending
    old.refresh_from_db()
    assert (old.state, old.qty) == ("reversed", D(1000))
    events = stream_records("allocations:direct")
    assert [event.kind for event in events] == ["DirectTradesFormed", "DirectTradesReversed", "DirectTradesFormed"]
    assert told(events[1].payload)[0][1].allocation_id == old.id
    assert "X2" in events[1].payload["why"]
    assert [(what, version) for what, _, version in feed()] == [("new", 1), ("correction", 2)]
    assert instructions() == [("RECE", "canceled", D(1000)), ("RECE", "waiting", D(600))]

    bust(order, 5, of=3)
    listen()
    assert cascade_blocks(at=LATER) == 1
    assert (Block.objects.get().state, standing()) == ("dissolved", [])
    assert CashBalance.objects.get(account=world.account).pending == 0
    assert [what for what, _, _ in feed()] == ["new", "correction", "cancel"]


def test_after_it_settled_a_direct_trade_is_compensated_by_one_of_today(world: DeskWorld) -> None:
    order = traded(world)
    base = Allocation.objects.get()
    settle(base)
    bust(order, 4, of=2)
    listen()

    assert cascade_blocks(at=LATER) == 1
    settled, undone = Allocation.objects.order_by("number")
    assert (settled.state, undone.compensates_id, undone.side) == ("booked", base.id, "2")
    assert (undone.qty, undone.gross, undone.trade_date) == (D(400), D("289.60"), AT.date())
    assert undone.fees < 0  # charges of it are given back
    cash = CashBalance.objects.get(account=world.account)
    assert settled.net + undone.net == cash.pending
    days = {settled.settlement_date, undone.settlement_date}
    assert set(pending_by_day("stock")) <= days
    assert raised(SETTLED_TRADE_CHANGED) == 1
    assert [event.kind for event in stream_records("allocations:direct")][1:] == ["DirectTradesCompensated"]
    assert [what for what, _, _ in feed()] == ["new", "new"]
    assert instructions() == [("RECE", "settled", D(1000)), ("DELI", "waiting", D(400))]

    bust(order, 5, of=3)
    listen()
    assert cascade_blocks(at=LATER + timedelta(days=4)) == 1
    last = Allocation.objects.order_by("number").last()
    assert last is not None
    assert (last.qty, last.gross) == (D(600), D("435.00"))
    assert last.settlement_date > settled.settlement_date
    assert Block.objects.get().state == "dissolved"
    assert sum(row[2] for row in standing()) == sum(row[3] for row in standing()) == 0
    assert pending_by_day("stock") == {
        settled.settlement_date: D(1000) - (D(400) if undone.settlement_date == settled.settlement_date else 0),
        last.settlement_date: D(-600),
        **({} if undone.settlement_date == settled.settlement_date else {undone.settlement_date: D(-400)}),
    }
    assert Holding.objects.get().pending == CashBalance.objects.get(account=world.account).pending == 0


def test_a_price_corrected_after_settlement_is_money_alone_and_somebody_is_told(world: DeskWorld) -> None:
    traded(world)
    base = Allocation.objects.get()
    settle(base)
    block = Block.objects.get()
    Block.objects.filter(pk=block.pk).update(cash=block.cash - D("0.40"), notional=block.notional + 40, state="changed")

    assert cascade_blocks(at=LATER) == 1
    assert standing()[1] == ("1", D(0), D("-0.40"), D("-0.40"), True, "booked")
    assert raised(SETTLED_TRADE_CHANGED) == 1
