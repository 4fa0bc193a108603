"""What the trade feed says of an allocation: the line as its event told it, with the names that others know things by.

Set-based: a part of a thousand lines costs the statements that one line costs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from allocations.domain.feed import Record
from allocations.domain.telling import BlockTold, LineTold
from allocations.selectors.places import Place, places_of
from journal.bulk import raw_cursor
from kernel.numbers import plain
from kernel.texts import utc_text
from orders.domain.words import SIDE_WORDS

MOST_FILLS = 20
"""A block of more executions tells how many there are; the execution feed has each of them, by the ids of the orders."""

_ACCOUNTS = """
SELECT a.id, a.code, a.group_id, c.code, c.lei FROM accounts_tradingaccount a JOIN accounts_client c ON c.id = a.client_id
 WHERE a.id = ANY(%s::uuid[])
"""
_LISTINGS = """
SELECT l.id, l.symbol, l.market_id, l.price_unit, i.isin FROM refdata_listing l JOIN refdata_instrument i ON i.id = l.instrument_id
 WHERE l.id = ANY(%s::uuid[])
"""
_ORDERS = """
SELECT DISTINCT f.block_id, o.id, o.ref, o.client_order_id FROM allocations_blockfill f JOIN orders_order o ON o.id = f.order_id
 WHERE f.block_id = ANY(%s::uuid[]) ORDER BY f.block_id, o.ref
"""
_FILLS = """
SELECT f.block_id, f.execution_id, e.exec_id, f.order_id, f.qty, f.px, e.event_at
  FROM allocations_blockfill f JOIN orders_execution e ON e.id = f.execution_id
 WHERE f.block_id = ANY(%s::uuid[]) AND f.qty > 0 ORDER BY f.block_id, e.event_at, f.execution_id
"""


@dataclass(frozen=True, slots=True)
class Sight:
    """By which grants a line may be seen: the desk of its block and the group of its account."""

    desk_id: int
    group_id: int


def records_of(lines: Sequence[tuple[BlockTold, LineTold]]) -> list[tuple[Record, Sight]]:
    """In order. ``trade_ref``, ``version`` and what it replaces are put in where the line gets its place."""
    accounts = _by_id(_ACCOUNTS, {line.account_id for _, line in lines} | {line.booked_account_id for _, line in lines})
    listings = _by_id(_LISTINGS, {block.listing_id for block, _ in lines})
    orders, fills = _of_blocks(_ORDERS, lines), _of_blocks(_FILLS, lines)
    places = places_of(
        [
            (line.account_id, listings[block.listing_id][2], block.currency, line.settlement_date)
            for block, line in lines
        ]
    )
    made: list[tuple[Record, Sight]] = []
    for (block, line), place in zip(lines, places, strict=True):
        account = accounts[line.account_id]
        record = _record(block, line, accounts, listings[block.listing_id], place)
        family = _family(orders.get(block.block_id, []), fills.get(block.block_id, []))
        made.append((record | family, Sight(block.desk_id, account[2])))
    return made


def _by_id(sql: str, ids: Collection[UUID]) -> dict[UUID, tuple[Any, ...]]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(sql, [sorted(ids)])
        return {row[0]: row for row in cursor.fetchall()}


def _of_blocks(sql: str, lines: Sequence[tuple[BlockTold, LineTold]]) -> dict[UUID, list[tuple[Any, ...]]]:
    found: dict[UUID, list[tuple[Any, ...]]] = {}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(sql, [sorted({block.block_id for block, _ in lines})])
        for block_id, *row in cursor.fetchall():
            found.setdefault(block_id, []).append(tuple(row))
    return found


def _record(
    block: BlockTold,
    line: LineTold,
    accounts: Mapping[UUID, tuple[Any, ...]],
    listing: tuple[Any, ...],
    place: Place | None,
) -> Record:
    _, code, _, client, lei = accounts[line.account_id]
    _, symbol, mic, price_unit, isin = listing
    return {
        "kind": "rounding" if line.is_rounding else "compensation" if line.compensates else "trade",
        "state": "parked" if line.state == "parked" else "booked",
        "allocation": {"id": str(line.allocation_id), "ref": f"A-{line.number}", "round": block.round},
        "block": {"id": str(block.block_id), "ref": f"B-{block.number}", "kind": block.kind},
        "account": code,
        "booked_account": accounts[line.booked_account_id][1],
        "client": client,
        "client_lei": lei or None,
        "counterparty": block.session_group or None,
        "symbol": symbol,
        "isin": isin,
        "mic": mic,
        "side": SIDE_WORDS[line.side],
        "capacity": block.capacity or None,
        "qty": plain(line.qty),
        "avg_px": plain(line.avg_px),
        "price_unit": price_unit,
        "currency": block.currency,
        "gross": plain(line.gross),
        "charges": [
            {"kind": kind, "name": name, "version": version, "amount": amount}
            for kind, name, version, amount in line.charges
        ],
        "fees": plain(line.fees),
        "net": plain(line.net),
        "trade_date": line.trade_date.isoformat(),
        "settlement_date": line.settlement_date.isoformat(),
        "settlement": place.as_told if place else None,
    }


def _family(orders: Sequence[tuple[Any, ...]], fills: Sequence[tuple[Any, ...]]) -> Record:
    """The orders above it and the executions below it, by the names of the execution feed."""
    return {
        "orders": [{"id": str(oid), "ref": ref, "client_order_id": name or None} for oid, ref, name in orders],
        "fills_count": len(fills),
        "fills": [
            {
                "execution_id": str(execution_id),
                "exec_id": exec_id or None,
                "order_id": str(order_id),
                "qty": plain(qty),
                "px": plain(px),
                "event_at": utc_text(at),
            }
            for execution_id, exec_id, order_id, qty, px, at in fills
        ]
        if len(fills) <= MOST_FILLS
        else None,
    }
