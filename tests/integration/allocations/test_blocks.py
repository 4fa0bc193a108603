"""Executions form blocks, whatever comes first, late or twice; direct trades are booked as one allocation that moves nothing."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from accounts.models import Booking
from allocations.domain.telling import told
from allocations.models import Allocation, Block, BlockFill, IntendedAllocation, WashAccount
from allocations.services import on_executions
from allocations.services.complete_blocks import complete_blocks
from journal.models import Event
from journal.selectors import stream_records
from journal.services.run_listener import run_listener
from kernel.fix import ExecType, OrdStatus
from kernel.ids import new_id
from orders.domain.results import CaptureResult
from orders.services.apply_reports import apply_reports
from tests.factories import AT, DeskWorld, charge_as_published, make_account, make_desk
from tests.factories.allocations import booked_block
from tests.integration.orders.test_apply_reports import life, report, sent

pytestmark = pytest.mark.django_db
D = Decimal
KINDS = ("ExecutionRecorded", "ExecutionCorrected", "ExecutionBusted", "ExcessMoved")
NEXT_DAY = AT + timedelta(days=1)


@pytest.fixture
def world() -> DeskWorld:
    return make_desk(cash="1000000")


def wash(world: DeskWorld) -> WashAccount:
    """The world's account is the firm's."""
    others = [make_account(code, group=world.group, cash="0") for code in ("ROUND", "ERROR")]
    return WashAccount.objects.create(
        account=world.account, desk=world.desk, rounding_account=others[0], error_account=others[1]
    )


def listen(at: datetime = AT) -> None:
    while run_listener(name="allocations.blocks", kinds=KINDS, handle=on_executions.handle, at=at).handled:
        pass


def fill(order: CaptureResult, seq: int, qty: int, px: str, status: OrdStatus = OrdStatus.PARTIALLY_FILLED) -> None:
    said = report(
        order, seq, ExecType.TRADE, status, last_qty=D(qty), last_px=D(px), identity=f"{order.order_id}:{seq}"
    )
    apply_reports(reports=[said], at=AT)


def bust(order: CaptureResult, seq: int, of: int) -> None:
    said = report(
        order, seq, ExecType.TRADE_CANCEL, OrdStatus.PARTIALLY_FILLED, exec_ref_id=f"X{of}",
        identity=f"{order.order_id}:{seq}",
    )  # fmt: skip
    apply_reports(reports=[said], at=AT)


def sums(block: Block) -> tuple[Decimal, Decimal, Decimal, int]:
    return block.qty, block.notional, block.cash, block.fills


@pytest.mark.parametrize("seed", range(3))
def test_whatever_the_disorder_the_block_is_the_same(world: DeskWorld, seed: int) -> None:
    wash(world)
    order = sent(world)
    reports = life(order) * 2
    random.Random(seed).shuffle(reports)
    for start in range(0, len(reports), 1 + seed):
        apply_reports(reports=reports[start : start + 1 + seed], at=AT)
        if seed:
            listen()
    listen()

    block = Block.objects.get()
    assert sums(block) == (D(900), D("65220.0"), D("-652.20"), 2)
    assert (block.avg_px, block.kind, block.state) == (D("72.466666666667"), "block", "forming")
    assert block.cash == sum(Booking.objects.filter(currency="GBP").values_list("amount", flat=True))
    events = list(Event.objects.filter(kind__in=KINDS).order_by("-position"))
    on_executions.handle(
        [record for event in events for record in stream_records(event.stream, after_seq=event.seq - 1, limit=1)]
    )
    assert sums(Block.objects.get()) == sums(block)


def test_one_block_a_day_but_an_intended_order_is_its_own(world: DeskWorld) -> None:
    wash(world)
    first, second, intended = (sent(world, key) for key in ("k1", "k2", "k3"))
    IntendedAllocation.objects.create(
        order_id=intended.order_id, version=1, method="pro_rata", stamped_by="t", stamped_at=AT, event_id=new_id()
    )
    for number, order in enumerate((first, second, intended)):
        fill(order, 10 + number, 1000, "72.50", OrdStatus.FILLED)
    listen()

    day, own = Block.objects.order_by("-fills")
    assert (day.qty, own.qty) == (D(2000), D(1000))
    assert set(BlockFill.objects.filter(block=own).values_list("order_id", flat=True)) == {intended.order_id}
    assert complete_blocks(at=AT) == 0
    assert set(Block.objects.values_list("state", flat=True)) == {"ready"}


def test_a_busted_block_dissolves_and_a_late_trade_revives_it(world: DeskWorld) -> None:
    wash(world)
    order = sent(world)
    fill(order, 2, 400, "72.40")
    bust(order, 3, of=2)
    listen()
    assert (Block.objects.get().state, sums(Block.objects.get())) == ("dissolved", (D(0), D(0), D(0), 0))

    fill(order, 4, 100, "72.40")
    listen()
    complete_blocks(at=AT)
    assert (Block.objects.get().state, Block.objects.get().qty) == ("forming", D(100))
    complete_blocks(at=NEXT_DAY)  # the order is open still, its day is over
    assert Block.objects.get().state == "ready"
    fill(order, 5, 100, "72.40")
    listen()
    assert Block.objects.get().state == "forming"


def test_a_direct_trade_is_booked_once_with_what_it_was_charged(world: DeskWorld) -> None:
    charge_as_published()
    order = sent(world)
    fill(order, 2, 400, "72.40")
    listen()
    assert complete_blocks(at=AT) == 0
    fill(order, 3, 600, "72.50", OrdStatus.FILLED)
    listen()
    moved = Booking.objects.count()

    assert (complete_blocks(at=AT), complete_blocks(at=AT)) == (1, 0)
    block, line = Block.objects.get(), Allocation.objects.get()
    charged = -sum(Booking.objects.filter(kind__in=("commission", "fee", "tax")).values_list("amount", flat=True))
    assert (block.kind, block.state, block.round) == ("direct", "booked", 1)
    assert (line.qty, line.gross, line.fees, line.net) == (D(1000), D("-724.60"), charged, D("-724.60") - charged)
    assert charged > 0
    assert sorted(charge[1] for charge in line.charges) == ["commission", "uk_sdrt"]
    assert Booking.objects.count() == moved
    (event,) = stream_records("allocations:direct")
    ((told_block, told_line),) = told(event.payload)
    assert (told_block.block_id, told_block.round, told_line.allocation_id) == (block.id, 1, line.id)
    assert line.booked_event_id == event.id

    bust(order, 4, of=2)
    listen()
    assert (Block.objects.get().state, Block.objects.get().qty) == ("changed", D(600))


def test_a_booked_block_that_did_not_change_stays_booked(world: DeskWorld) -> None:
    made = booked_block(world, [(world.account, 1000)])
    order = sent(world)
    fill(order, 2, 1000, "72.45", OrdStatus.FILLED)
    listen()

    assert Block.objects.get(pk=made.block.pk).state == "booked"
    assert Block.objects.exclude(pk=made.block.pk).get().kind == "direct"
