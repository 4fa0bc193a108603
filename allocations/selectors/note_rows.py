"""The facts of notes as they stand in the tables: trades with their executions, and who they are told to. Set-based."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from allocations.domain.note_regimes import COLUMNS, Regime, parse_regimes
from allocations.domain.notes import Fill, Trade
from allocations.selectors.places import places_of
from journal.bulk import raw_cursor
from kernel.errors import InvariantBroken
from refdata.domain.import_rows import read_rows

FILE = Path(__file__).resolve().parents[1] / "data" / "note_regimes.csv"
_TRADES = """
SELECT a.id, a.number, b.id, b.number, b.kind, a.side, i.isin, i.name, l.symbol, l.market_id, a.qty, a.avg_px, l.price_unit,
       b.currency, a.gross, a.charges::text, a.fees, a.net, a.trade_date, a.settlement_date, b.capacity, a.account_id, o.number
  FROM allocations_allocation a JOIN allocations_block b ON b.id = a.block_id JOIN refdata_listing l ON l.id = b.listing_id
  JOIN refdata_instrument i ON i.id = l.instrument_id LEFT JOIN allocations_allocation o ON o.id = a.compensates_id
 WHERE a.id = ANY(%s::uuid[])
"""
_FILLS = """
SELECT f.block_id, e.event_at, f.qty, f.px, o.ref, o.ord_type
  FROM allocations_blockfill f JOIN orders_execution e ON e.id = f.execution_id JOIN orders_order o ON o.id = f.order_id
 WHERE f.block_id = ANY(%s::uuid[]) AND f.qty > 0 ORDER BY f.block_id, e.event_at, f.execution_id
"""
_PARTIES = """
SELECT a.id, a.code, a.name, c.name, c.code, c.lei, a.group_id FROM accounts_tradingaccount a
  JOIN accounts_client c ON c.id = a.client_id WHERE a.id = ANY(%s::uuid[])
"""


@dataclass(frozen=True, slots=True)
class Party:
    """The client and account that a note is for."""

    account: str
    account_name: str
    client: str
    client_code: str
    lei: str
    group_id: int


@cache
def regimes() -> tuple[Regime, ...]:
    """Every dated line. Raises InvariantBroken NOTE_REGIMES_FAULTY when our own file cannot be read."""
    rows, issues = read_rows(FILE.read_text(encoding="utf-8"), COLUMNS)
    if issues:
        raise InvariantBroken("NOTE_REGIMES_FAULTY", issues[0].sentence)
    try:
        return parse_regimes(rows)
    except ValueError as error:
        raise InvariantBroken("NOTE_REGIMES_FAULTY", str(error)) from error


def parties(account_ids: Collection[UUID]) -> dict[UUID, Party]:
    """By account."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_PARTIES, [sorted(account_ids)])
        return {row[0]: Party(*row[1:]) for row in cursor.fetchall()}


def trades(allocation_ids: Collection[UUID]) -> dict[UUID, Trade]:
    """By allocation, with the executions of its block."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_TRADES, [sorted(allocation_ids)])
        rows = cursor.fetchall()
        cursor.execute(_FILLS, [sorted({row[2] for row in rows})])
        executed = _executed(cursor.fetchall())
    places = places_of([(row[21], row[9], row[13], row[19]) for row in rows])
    return {
        row[0]: _trade(row, executed.get(row[2], _NOTHING), place.place if place else "")
        for row, place in zip(rows, places, strict=True)
    }


class _Executed(NamedTuple):
    """What lies behind a block, which all its trades tell alike: executions as time went, names of orders and their types."""

    fills: tuple[Fill, ...]
    order_refs: tuple[str, ...]
    order_types: tuple[str, ...]


_NOTHING = _Executed((), (), ())


def _executed(rows: Sequence[tuple[Any, ...]]) -> dict[UUID, _Executed]:
    """By block, of rows in its order."""
    return {
        block_id: _Executed(
            tuple(Fill(at, qty, px) for _, at, qty, px, _, _ in fills),
            tuple(sorted({row[4] for row in fills})),
            tuple(sorted({row[5] for row in fills})),
        )
        for block_id, fills in ((key, list(rows)) for key, rows in groupby(rows, itemgetter(0)))
    }


def _trade(row: Sequence[Any], executed: _Executed, place: str) -> Trade:
    return Trade(
        ref=f"A-{row[1]}",
        block_ref=f"B-{row[3]}",
        order_refs=executed.order_refs if row[4] == "direct" else (),
        side=row[5],
        isin=row[6],
        instrument=row[7],
        symbol=row[8],
        qty=row[10],
        avg_px=row[11],
        price_unit=row[12],
        currency=row[13],
        gross=row[14],
        charges=tuple((name, Decimal(amount)) for _, name, _, amount in orjson.loads(row[15])),
        fees=row[16],
        net=row[17],
        trade_date=row[18],
        settlement_date=row[19],
        capacity=row[20],
        order_types=executed.order_types,
        fills=executed.fills,
        own_fills=row[4] == "direct",
        place=place,
        undoes=f"A-{row[22]}" if row[22] is not None else "",
    )
