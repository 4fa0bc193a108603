"""Sweeper: a block is complete when nothing of its orders can execute any more on its day; a direct one is then booked.

Complete is: no order in it is open, or its market's trading day has moved on. A direct block has one allocation, with what the
order was charged that day; stock and cash are in the account already, so nothing moves. It is told by ``DirectTradesFormed``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.domain.fees import Charge
from allocations.domain import transitions as moves
from allocations.domain.telling import BlockTold, LineTold, direct_parts
from allocations.locks import lock_some
from allocations.models import Allocation, Block, BlockFill
from authorisation.domain.principal import process_principal
from journal.bulk import raw_cursor, update_rows, write_rows
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from kernel.numbers import ZERO, plain
from orders.selectors.executed import find_charges, find_open
from refdata.selectors import get_market_clock

ACTOR = process_principal("allocations")
STREAM = "allocations:direct"
METHOD = "direct"
SLICE = 500
_ALLOCATION_FIELDS = (
    "id", "number", "block_id", "round", "account_id", "booked_account_id", "side", "qty", "avg_px", "gross", "charges",
    "fees", "net", "is_rounding", "trade_date", "settlement_date", "state", "reason", "booked_event_id", "booked_at",
)  # fmt: skip


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
        block.updated_at, block.version = at, block.version + 1
        block.save(update_fields=["state", "updated_at", "version"])


def _book_direct(blocks: Sequence[Block], *, at: datetime) -> int:
    if not blocks:
        return 0
    fills = dict(BlockFill.objects.filter(block__in=blocks).values_list("block_id", "order_id"))
    charges = find_charges(fills.values())
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT nextval('allocations_allocation_number') FROM generate_series(1, %s::int)", [len(blocks)]
        )
        numbers = [row[0] for row in cursor.fetchall()]
    trades = [
        (
            told_block(block, round=block.round + 1, method=METHOD),
            _line(block, number, charges.get((fills[block.id], block.trade_date), ())),
        )
        for block, number in zip(blocks, numbers, strict=True)
    ]
    event_ids = tell_direct(trades, at=at)
    write_rows(
        Allocation,
        [_row(block, line, event_ids[line.allocation_id], at) for block, line in trades],
        fields=_ALLOCATION_FIELDS,
    )
    update_rows(
        Block,
        [(block.id, moves.BOOKED, block.round + 1, METHOD, at, ACTOR.actor, at, block.version + 1) for block in blocks],
        key=("id",),
        fields=("state", "round", "method", "booked_at", "booked_by", "updated_at", "version"),
    )
    return len(blocks)


def tell_direct(trades: Sequence[tuple[BlockTold, LineTold]], *, at: datetime) -> dict[UUID, UUID]:
    """Append what tells the trades. Returns the event of each allocation."""
    drafts: list[EventDraft] = []
    named: dict[UUID, UUID] = {}
    for payload in direct_parts(trades):
        event_id = new_id()
        named |= {UUID(line["allocation_id"]): event_id for line in payload["lines"]}
        drafts.append(
            EventDraft(
                id=event_id,
                stream=STREAM,
                kind="DirectTradesFormed",
                actor=ACTOR.actor,
                correlation_id=event_id,
                event_at=at,
                received_at=at,
                business_date=at.date(),
                payload=payload,
            )
        )
    append_to_stream(drafts=drafts, at=at)
    return named


def told_block(block: Block, *, round: int, method: str) -> BlockTold:
    """The block as the events of a round tell it."""
    return BlockTold(
        block.id, block.number, block.kind, round, block.account_id, block.desk_id, block.listing_id, block.instrument_id,
        block.side, block.currency, block.price_divisor, block.capacity, block.session_group, block.trade_date,
        block.settlement_date, method, block.scheme,
    )  # fmt: skip


def _line(block: Block, number: int, charges: Sequence[Charge]) -> LineTold:
    fees = sum((charge.amount for charge in charges), ZERO)
    return LineTold(
        new_id(), number, block.account_id, block.account_id, block.side, block.qty, block.avg_px, block.cash, fees,
        block.cash - fees, block.trade_date, block.settlement_date,
        tuple((charge.kind, charge.name, charge.version, plain(charge.amount)) for charge in charges),
    )  # fmt: skip


def _row(block: BlockTold, line: LineTold, event_id: UUID, at: datetime) -> tuple[Any, ...]:
    return (
        line.allocation_id, line.number, block.block_id, block.round, line.account_id, line.booked_account_id, line.side,
        line.qty, line.avg_px, line.gross, [list(charge) for charge in line.charges], line.fees, line.net, False,
        line.trade_date, line.settlement_date, line.state, "", event_id, at,
    )  # fmt: skip
