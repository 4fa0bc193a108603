"""What cannot be booked is parked and released; what has settled is undone by trades of today; no road leads past the block."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.utils import DatabaseError

from accounts.models import Booking, TradingAccount
from accounts.services.deposit import Deposit, deposit
from allocations.models import Allocation, Block, SettlementInstruction
from allocations.services.book_allocation import book_allocation
from allocations.services.rebook_allocation import rebook_allocation
from allocations.services.release_parked import release_parked
from authorisation.domain.principal import process_principal
from journal.models import Event
from journal.selectors.anomalies import is_raised
from kernel.errors import Conflict, NotPermitted, Refused
from kernel.ids import new_id
from risk.models import Block as RiskBlock
from tests.factories import AT
from tests.factories.blocks import HOUSE, BlockWorld, block_world
from tests.integration.allocations.test_book_allocation import LINES, intended

pytestmark = pytest.mark.django_db
D = Decimal
LATER = AT + timedelta(days=4)


def booked(world: BlockWorld, *fills: tuple[int, str]) -> Block:
    order = world.traded(*fills)
    intended(world, order.order_id)
    book_allocation(
        actor=world.dealer,
        at=AT,
        idempotency_key=new_id().hex,
        block_ref=world.block.ref,
        method="pro_rata",
        lines=LINES,
    )
    return world.block


def settle(line: Allocation) -> None:
    """As if all of it had changed hands."""
    SettlementInstruction.objects.create(
        id=new_id(), ref=f"S{line.number}-1", allocation=line, version=1, account=line.account,
        instrument_id=line.block.instrument_id, delivery="rvp", qty=line.qty, amount=abs(line.net), currency="GBP",
        trade_date=line.trade_date, settlement_date=line.settlement_date, created_at=AT, event_id=new_id(),
    )  # fmt: skip
    SettlementInstruction.objects.filter(allocation=line).update(state="instructed")
    SettlementInstruction.objects.filter(allocation=line).update(
        state="settled", settled_qty=line.qty, settled_amount=abs(line.net)
    )


def line_of(code: str) -> Allocation:
    return Allocation.objects.select_related("block", "account").filter(account__code=code, qty__gt=0).latest("number")


def test_shares_that_may_not_be_taken_are_parked_with_their_reasons_and_released_when_they_may() -> None:
    world = block_world(cash="200", charged=True)
    TradingAccount.objects.filter(pk=world.clients["C1"].pk).update(state="frozen")
    RiskBlock.objects.create(
        id=new_id(), scope="account", scope_id=str(world.clients["C2"].id), source="break:1", reason="A break.",
        imposed_by="test", imposed_at=AT,
    )  # fmt: skip

    block = booked(world, (400, "72.40"), (600, "72.47"))

    parked = {
        line.account.code: line.reason for line in Allocation.objects.filter(state="parked").select_related("account")
    }
    # C1 and C2 lack cash as well; 217.33, 7.00 commission and 1.09 duty are 225.42.
    assert parked == {
        "C1": "The account is frozen. 98.22 GBP is missing to pay for it.",
        "C2": "Blocked: A break. 25.42 GBP is missing to pay for it.",
        "C3": "25.42 GBP is missing to pay for it.",
    }
    suspense = TradingAccount.objects.get(code="SUSPENSE-EQ1")
    assert world.of(suspense) == (D("-724.43"), D(1000))
    assert world.of(world.wash.account) == (D(0), D(0))
    assert (block.state, is_raised(f"allocation-parked:{block.id}")) == ("booked", True)
    world.prove()

    line = line_of("C3")
    with pytest.raises(Refused, match="STILL_PARKED"):
        release_parked(actor=world.dealer, at=AT, allocation_ref=line.ref)
    with pytest.raises(NotPermitted):
        release_parked(actor=world.desk.dealer, at=AT, allocation_ref=line.ref)
    money = [Deposit(world.clients["C3"].id, D("25.42"), currency="GBP")]
    deposit(actor=process_principal("test"), at=AT, business_date=AT.date(), deposits=money)
    released = release_parked(actor=world.dealer, at=AT, allocation_ref=line.ref)
    assert (released.state, released.fees, released.net) == ("booked", D("8.09"), D("-225.42"))
    assert world.figures("C3") == {"C3": (D("-225.42"), D(300))}
    assert world.of(suspense) == (D("-507.10"), D(700))
    world.prove()
    with pytest.raises(Conflict, match="NOT_PARKED"):
        release_parked(actor=world.dealer, at=AT, allocation_ref=line.ref)
    assert Event.objects.filter(kind="AllocationBooked").count() == 2


def test_what_has_settled_is_undone_by_trades_of_today_and_the_error_account_bears_the_difference() -> None:
    world = block_world(charged=True)
    order = world.traded((400, "72.40"), (600, "72.47"))
    intended(world, order.order_id)
    book_allocation(
        actor=world.dealer, at=AT, idempotency_key="b", block_ref=world.block.ref, method="pro_rata", lines=LINES
    )
    settle(line_of("C1"))
    world.bust(order, 11)

    done = rebook_allocation(actor=HOUSE, at=LATER, block_id=world.block.id, why="bust of X11")

    # C1 had 400 at 72.442; 240 stay. It sells 160 back at that price, 115.91. C2 and C3 are booked anew: 180 at 72.47.
    assert done is not None
    assert (done.booked, done.reversed, done.compensated) == (2, 3, 1)
    undoing = Allocation.objects.get(compensates__isnull=False)
    first = undoing.compensates
    assert first is not None
    assert (undoing.side, undoing.qty, undoing.gross, undoing.trade_date) == ("2", D(160), D("115.91"), LATER.date())
    assert (first.state, first.gross) == ("booked", D("-289.77"))
    # Duty on 289.77 was 1.45; on the 173.86 that are left it is 0.87. The commission stays at its 7.00.
    assert undoing.charges == [["tax", "uk_sdrt", 1, "-0.58"]]
    assert world.figures("C1") == {"C1": (D("-289.77") + D("115.91") - D("7.87"), D(240))}
    # 434.82 of the block less 173.86, twice 130.45 and 0.01 of rounding leaves 0.07 of price; 0.58 is given back.
    assert (done.rounding, done.error, done.given_back) == (D("0.01"), D("-0.07"), D("0.58"))
    assert world.of(world.wash.error_account) == (D("-0.65"), D(0))
    assert world.of(world.wash.account) == (D(0), D(0))
    assert Booking.objects.filter(kind="compensation").exists()
    assert is_raised(f"allocation-compensated:{world.block.id}:2")
    world.prove()

    world.bust(order, 12)
    rebook_allocation(actor=HOUSE, at=LATER, block_id=world.block.id, why="bust of X12")
    assert (world.block.state, Allocation.objects.get(pk=first.pk).state) == ("dissolved", "compensated")
    assert world.figures() == {"C1": (D(0), D(0)), "C2": (D(0), D(0)), "C3": (D(0), D(0))}
    assert world.of(world.wash.account) == (D(0), D(0))
    assert world.of(world.wash.error_account) == (D("-8.45"), D(0))
    world.prove()


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE allocations_block SET qty = qty - 1",
        "UPDATE allocations_block SET cash = cash - 0.01",
        "UPDATE allocations_allocation SET state = 'reversed' WHERE qty = 300",
        "UPDATE allocations_block SET allocated_qty = 0",
    ],
)
def test_a_block_that_is_not_its_lines_cannot_be_committed(sql: str) -> None:
    world = block_world()
    booked(world, (1000, "72.50"))
    with connection.cursor() as cursor:
        cursor.execute(sql)
        with pytest.raises(DatabaseError, match="its lines are"):
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
