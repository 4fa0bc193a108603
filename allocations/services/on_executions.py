"""Executions form blocks. A listener of what orders say of executions: idempotent, and indifferent to the order of events.

What an event says is not read: the executions are, as they stand now. So a late event, a repeated one and one that comes
before its predecessor lead to the same block. A booked block whose executions changed becomes *changed*, which
``cascade_blocks`` works.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.domain.blocks import Sums, Together, summed
from allocations.locks import lock_blocks, lock_blocks_by_key
from allocations.models import Block, BlockFill, IntendedAllocation, WashAccount
from allocations.selectors.cut_offs import cut_offs_for
from journal.bulk import insert_rows, raw_cursor
from journal.domain.records import EventRecord
from kernel.ids import new_id
from orders.selectors.executed import Executed, find_executed

_NEW_FIELDS = (
    "id", "number", "key", "kind", "account_id", "desk_id", "listing_id", "instrument_id", "side", "currency",
    "price_divisor", "capacity", "session_group", "trade_date", "settlement_date", "qty", "notional", "avg_px", "cash",
    "fills", "state", "round", "method", "scheme", "parameters", "created_at", "updated_at", "booked_by", "version",
    "allocate_by", "affirm_by",
)  # fmt: skip
_FILL_FIELDS = ("execution_id", "block_id", "order_id", "qty", "px", "cash", "event_id", "updated_at")
_FILL_UPSERT = (
    "(execution_id) DO UPDATE SET qty = excluded.qty, px = excluded.px, cash = excluded.cash, "
    "event_id = excluded.event_id, updated_at = excluded.updated_at"
)


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the house keeps that decides which executions belong together."""

    wash_accounts: frozenset[UUID]
    intended: frozenset[UUID]


def handle(events: Sequence[EventRecord]) -> None:
    """Bring the blocks of all executions that the events speak of to what their executions are now."""
    at = max(event.recorded_at for event in events)
    said_by = {execution_id: event.id for event in events for execution_id in _executions_of(event)}
    executed = find_executed(said_by)
    if not executed:
        return
    kept = _kept(executed)
    homes = _homes(executed)
    together = {one.execution_id: _together(one, kept) for one in executed}
    fresh = {
        together[one.execution_id].key: (together[one.execution_id], one)
        for one in executed
        if one.execution_id not in homes
    }
    _open_missing(fresh, at=at)
    by_key = lock_blocks_by_key(fresh)
    blocks = lock_blocks({*homes.values(), *(block.id for block in by_key.values())})
    rows = [
        (
            one.execution_id,
            homes.get(one.execution_id) or by_key[together[one.execution_id].key].id,
            one.order_id,
            one.qty,
            one.px,
            one.cash,
            said_by[one.execution_id],
            at,
        )
        for one in executed
    ]
    insert_rows(BlockFill, rows, fields=_FILL_FIELDS, on_conflict=_FILL_UPSERT)
    touched = {row[1] for row in rows}
    sums = _sums(touched)
    charging = {one for event in events if event.payload.get("fees") for one in _executions_of(event)}
    charged = {row[1] for row in rows if row[0] in charging}
    for block_id in sorted(touched):
        _bring_to(blocks[block_id], sums[block_id], charged=block_id in charged, at=at)


def _executions_of(event: EventRecord) -> Iterable[UUID]:
    if "executions" in event.payload:
        return [UUID(line["execution_id"]) for line in event.payload["executions"]]
    return [UUID(event.payload["execution_id"])]


def _kept(executed: Sequence[Executed]) -> _Kept:
    accounts = {one.account_id for one in executed}
    wash = frozenset(WashAccount.objects.filter(pk__in=accounts).values_list("pk", flat=True))
    roots = {order_id for one in executed if one.account_id in wash for order_id in (one.order_id, one.root_id)}
    intended = IntendedAllocation.objects.filter(order_id__in=roots).values_list("order_id", flat=True) if roots else ()
    return _Kept(wash, frozenset(intended))


def _together(one: Executed, kept: _Kept) -> Together:
    wash = one.account_id in kept.wash_accounts
    order_id: UUID | None = one.order_id
    if wash:
        order_id = next((named for named in (one.order_id, one.root_id) if named in kept.intended), None)
    return Together(
        wash, one.account_id, one.listing_id, one.side.value, one.trade_date, one.settlement_date, one.capacity, order_id
    )  # fmt: skip


def _homes(executed: Sequence[Executed]) -> dict[UUID, UUID]:
    """The blocks of executions that are in one already."""
    ids = [one.execution_id for one in executed]
    return dict(BlockFill.objects.filter(pk__in=ids).values_list("execution_id", "block_id"))


def _open_missing(wanted: Mapping[str, tuple[Together, Executed]], *, at: datetime) -> None:
    missing = sorted(set(wanted) - set(Block.objects.filter(key__in=wanted).values_list("key", flat=True)))
    if not missing:
        return
    with raw_cursor() as cursor:
        cursor.execute("SELECT nextval('allocations_block_number') FROM generate_series(1, %s::int)", [len(missing)])
        numbers = [row[0] for row in cursor.fetchall()]
    rows: list[tuple[Any, ...]] = []
    for key, number in zip(missing, numbers, strict=True):
        together, one = wanted[key]
        cut_offs = cut_offs_for(one.mic, one.trade_date)
        kind = Block.Kind.BLOCK if together.wash else Block.Kind.DIRECT
        rows.append(
            (
                new_id(), number, key, kind.value, one.account_id, one.desk_id, one.listing_id, one.instrument_id,
                one.side.value, one.currency, one.price_divisor, one.capacity, one.session_group, one.trade_date,
                one.settlement_date, 0, 0, 0, 0, 0, moves.FORMING, 0, "", "", {}, at, at, "", 1,
                cut_offs.allocate_by, cut_offs.affirm_by,
            )
        )  # fmt: skip
    insert_rows(Block, rows, fields=_NEW_FIELDS, on_conflict="(key) DO NOTHING")


def _sums(block_ids: Iterable[UUID]) -> dict[UUID, Sums]:
    found: dict[UUID, list[tuple[Any, ...]]] = {block_id: [] for block_id in block_ids}
    with raw_cursor() as cursor:
        cursor.execute(
            "SELECT block_id, qty, px, cash FROM allocations_blockfill WHERE block_id = ANY(%s::uuid[])",
            [sorted(found)],
        )
        for block_id, *fill in cursor.fetchall():
            found[block_id].append(tuple(fill))
    return {block_id: summed(fills) for block_id, fills in found.items()}


def _bring_to(block: Block, sums: Sums, *, charged: bool, at: datetime) -> None:
    """``charged``: its order pays otherwise than before. An execution that is all excess moves nothing of a trade but its charges."""
    same = (block.qty, block.notional, block.cash, block.fills) == (sums.qty, sums.notional, sums.cash, sums.fills)
    same = same and not (charged and block.kind == Block.Kind.DIRECT and block.state == moves.BOOKED)
    if same and (sums.qty or block.state not in (moves.FORMING, moves.READY)):
        return
    block.qty, block.notional, block.cash, block.fills = sums.qty, sums.notional, sums.cash, sums.fills
    block.avg_px, block.updated_at, block.version = sums.avg_px, at, block.version + 1
    if block.state == moves.BOOKED:
        block.change()
    elif block.state == moves.DISSOLVED and sums.qty:
        block.revive()
    elif block.state in (moves.FORMING, moves.READY) and not sums.qty:
        block.dissolve()
    elif block.state == moves.READY:
        block.reopen()
    block.save(update_fields=["qty", "notional", "cash", "fills", "avg_px", "updated_at", "version", "state"])
