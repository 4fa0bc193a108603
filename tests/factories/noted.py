"""Trades as contract notes and the trade feed meet them: blocks that are booked, with executions over real orders behind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import TradingAccount
from allocations.domain.telling import parts
from allocations.models import Allocation, Block, BlockFill
from allocations.services import on_allocated_feed, on_allocated_notes
from journal.services.append_to_stream import append_to_stream
from journal.services.run_listener import run_listener
from kernel.ids import new_id
from oms_project.flow import LISTENERS
from orders.models import Execution
from tests.factories import AT, DeskWorld
from tests.factories.allocations import BookedWorld, _draft, direct_trade, reversed_block, told_block, told_line
from tests.factories.executed import filled

CLOSED = datetime.fromisoformat("2026-11-21T00:00:00+00:00")
"""The market of the tests never closes: its day ends at midnight of London."""


@dataclass(slots=True)
class NotedHouse:
    """A desk with one filled order whose two executions stand behind every trade it makes."""

    world: DeskWorld
    fills: Sequence[Execution]

    def behind(self, made: BookedWorld) -> BookedWorld:
        """The executions are those of the block. An execution is in one block, so each block has copies of its own."""
        for one in self.fills:
            copy = Execution.objects.get(pk=one.pk)
            copy.id, copy.identity = new_id(), f"{made.block.number}:{one.identity}"
            copy.save(force_insert=True)
            BlockFill.objects.create(
                execution_id=copy.id, block=made.block, order_id=copy.order_id, qty=copy.effective_qty,
                px=copy.effective_px, cash=0, event_id=new_id(), updated_at=AT,
            )  # fmt: skip
        return made

    def direct(self, number: int = 500, *, fees: str = "0", at: datetime = AT) -> BookedWorld:
        """A trade for the world's own account."""
        return self.behind(direct_trade(self.world, number=number, fees=fees, at=at))


def make_noted_house(world: DeskWorld) -> NotedHouse:
    """Orders and executions come through the doors and the inbox."""
    order = filled(world)
    return NotedHouse(world, list(Execution.objects.filter(order_id=order.order_id).order_by("event_at")))


@transaction.atomic
def undone_block(made: BookedWorld, *, at: datetime) -> None:
    """Every execution of it was busted: its lines are reversed, and nothing of the block is left."""
    reversed_block(made, at=at)
    Block.objects.filter(pk=made.block.pk).update(state="dissolved", qty=0, notional=0, cash=0, fills=0)


@transaction.atomic
def booked_again(made: BookedWorld, shares: Sequence[tuple[TradingAccount, int]], *, at: datetime) -> BookedWorld:
    """The block in another round, in the same moment as its reversal: what an account had before, it has otherwise now."""
    reversed_block(made, at=at, why="re-allocated")
    block = Block.objects.get(pk=made.block.pk)
    block.book()
    block.round += 1
    block.save(update_fields=["state", "round"])
    event_id, lines = new_id(), []
    pattern = made.lines[0]
    for place, (account, units) in enumerate(shares):
        gross = pattern.gross * units / pattern.qty
        lines.append(
            Allocation(
                id=new_id(), number=pattern.number + 100 * block.round + place, block=block, round=block.round, account=account,
                booked_account_id=account.id, side=pattern.side, qty=units, avg_px=pattern.avg_px, gross=gross, charges=[],
                fees=0, net=gross, trade_date=pattern.trade_date, settlement_date=pattern.settlement_date, state="booked",
                booked_event_id=event_id, booked_at=at,
            )
        )  # fmt: skip
    again = BookedWorld(block, tuple(Allocation.objects.bulk_create(lines)))
    told = parts(told_block(block), [told_line(line) for line in again.lines])
    append_to_stream(drafts=[_draft("AllocationBooked", f"block:{block.id}", told[0], at, event_id)], at=at)
    return again


def listen_to_allocations(at: datetime = AT, *, limit: int = 500) -> None:
    """The relay's turn: feed and notes hear what was booked and undone."""
    for module in (on_allocated_feed, on_allocated_notes):
        listener = next(one for one in LISTENERS if one.module == module.__name__)
        while run_listener(name=listener.name, kinds=listener.kinds, handle=module.handle, at=at, limit=limit).handled:
            pass
