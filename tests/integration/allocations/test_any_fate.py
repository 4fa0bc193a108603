"""Whatever becomes of a block, and whatever of it has settled: accounts have what its executions are, to the minor unit."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from allocations.models import Allocation
from allocations.services.book_allocation import book_allocation
from allocations.services.rebook_allocation import rebook_allocation
from kernel.fix import ExecType, OrdStatus
from tests.factories import AT
from tests.factories.blocks import HOUSE, BlockWorld, block_world
from tests.integration.allocations.test_book_allocation import intended
from tests.integration.allocations.test_undoing import settle

pytestmark = pytest.mark.django_db
D = Decimal
LINES = [{"account": f"C{number}", "target": str(target)} for number, target in ((1, 500), (2, 300), (3, 150), (4, 50))]


def held(world: BlockWorld) -> tuple[Decimal, Decimal, Decimal]:
    """Units of all clients, and the money of clients and firm, charges aside."""
    units = sum((units for _, units in world.figures().values()), D(0))
    cash = sum((cash for cash, _ in world.figures().values()), D(0))
    firm = [world.of(account)[0] for account in (world.wash.rounding_account, world.wash.error_account)]
    standing = Allocation.objects.filter(block=world.block).exclude(state="reversed")
    fees = sum(standing.values_list("fees", flat=True), D(0))
    return units, cash + sum(firm, D(0)), fees


@pytest.mark.parametrize("seed", range(3))
def test_any_fate(seed: int) -> None:
    chance = random.Random(seed)
    world = block_world(clients=4, charged=True)
    order = world.traded()
    intended(world, order.order_id, LINES)
    live = [
        world.says(order, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=D(qty), last_px=D(px))
        for qty, px in ((150, "72.41"), (250, "72.47"))
    ]
    book_allocation(
        actor=world.dealer, at=AT, idempotency_key="b", block_ref=world.block.ref, method="pro_rata", lines=LINES
    )  # fmt: skip
    for step in range(6):
        at = AT + timedelta(days=step)
        lines = list(Allocation.objects.filter(block=world.block, state="booked", qty__gt=0, instructions=None))
        if lines and chance.random() < 0.6:
            settle(chance.choice(lines))
        what = chance.choice(("trade", "bust", "correct"))
        if what == "trade" or len(live) < 2:
            px = D("72.40") + D(chance.randrange(20)) / 100
            live.append(world.says(order, ExecType.TRADE, OrdStatus.PARTIALLY_FILLED, last_qty=D(50), last_px=px))
        elif what == "bust":
            world.bust(order, live.pop(chance.randrange(len(live))))
        else:
            of = live.pop(chance.randrange(len(live)))
            px = D("72.40") + D(chance.randrange(20)) / 100
            live.append(
                world.says(
                    order,
                    ExecType.TRADE_CORRECT,
                    OrdStatus.PARTIALLY_FILLED,
                    exec_ref_id=f"X{of}",
                    last_qty=D(100),
                    last_px=px,
                )
            )
        rebook_allocation(actor=HOUSE, at=at, block_id=world.block.id, why=what)
        block = world.block
        units, cash, fees = held(world)
        assert (units, cash) == (block.qty, block.cash - fees), f"seed {seed}, step {step}: {what}"
        assert world.of(world.wash.account) == (D(0), D(0))
        assert (block.allocated_qty, block.allocated_cash) == (block.qty, block.cash)
    world.prove()
