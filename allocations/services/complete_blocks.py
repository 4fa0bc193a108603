"""Sweeper: a block is complete when nothing of its orders can execute any more on its day; a direct one is then booked.

Complete is: no order in it is open, or its market's trading day has moved on. A direct block has one allocation, with what the
order was charged that day; stock and cash are in the account already, so nothing moves. It is told by ``DirectTradesFormed``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from allocations.domain import transitions as moves
from allocations.locks import lock_some
from allocations.models import Block, BlockFill
from allocations.services._direct_trades import ACTOR, METHOD, keep, of_round, tell, whole_line
from allocations.services._writing import next_numbers
from journal.bulk import update_rows
from orders.selectors.executed import find_charges, find_open
from refdata.selectors import get_market_clock

SLICE = 500


def complete_blocks(*, at: datetime) -> int:
    """Complete what is complete and book direct blocks. Returns how many were booked; again at once, none."""
    booked = 0
    for kind in (Block.Kind.BLOCK, Block.Kind.DIRECT):
        after: UUID | None = None
        while True:
            with transaction.atomic():
                states = (moves.FORMING,) if kind == Block.Kind.BLOCK else (moves.FORMING, moves.READY)
                found = lock_some(kind=kind, states=states, most=SLICE, after=after)
                done = _completed(found, at=at)
                if kind == Block.Kind.DIRECT:
                    booked += _book_direct(done, at=at)
                else:
                    _mark_ready(done, at=at)
            if len(found) < SLICE:
                break
            after = found[-1].id
    return booked


def _completed(blocks: Sequence[Block], *, at: datetime) -> list[Block]:
    orders: dict[UUID, set[UUID]] = {block.id: set() for block in blocks}
    for block_id, order_id in BlockFill.objects.filter(block__in=list(orders)).values_list("block_id", "order_id"):
        orders[block_id].add(order_id)
    still_open = find_open({order_id for group in orders.values() for order_id in group})
    markets = dict(Block.objects.filter(pk__in=list(orders)).values_list("id", "listing__market_id"))
    today: dict[str, date] = {mic: get_market_clock(mic).business_date(at) for mic in set(markets.values())}
    return [
        block
        for block in blocks
        if block.qty and (block.trade_date < today[markets[block.id]] or not orders[block.id] & still_open)
    ]


def _mark_ready(blocks: Sequence[Block], *, at: datetime) -> None:
    for block in blocks:
        block.complete()
        block.updated_at = at  # not its version: what is waiting for a second person is about the same executions
        block.save(update_fields=["state", "updated_at"])


def _book_direct(blocks: Sequence[Block], *, at: datetime) -> int:
    if not blocks:
        return 0
    orders = dict(BlockFill.objects.filter(block__in=blocks).values_list("block_id", "order_id"))
    charges = find_charges(orders.values())
    trades = [
        (
            of_round(block, block.round + 1),
            whole_line(block, number, charges.get((orders[block.id], block.trade_date), ())),
        )
        for block, number in zip(blocks, next_numbers(len(blocks)), strict=True)
    ]
    keep(trades, tell("DirectTradesFormed", trades, at=at, day=at.date()), at=at)
    update_rows(
        Block,
        [(block.id, moves.BOOKED, block.round + 1, METHOD, at, ACTOR.actor, at, block.version + 1) for block in blocks],
        key=("id",),
        fields=("state", "round", "method", "booked_at", "booked_by", "updated_at", "version"),
    )
    return len(blocks)
