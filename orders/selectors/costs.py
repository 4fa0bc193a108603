"""What positions cost, derived anew from bookings each time: nothing about cost is stored, so nothing of it can be wrong.

What an account got of a block is a trade at the money it was booked at; for the account of the block it is one the other way.
A trade with its corrections, its fees and what of it lies in suspense is one movement with the money now booked for it; it
stands where the venue made it (by the time and place of its execution), not where we heard of it. Units that were brought in
bring the cost that their event tells, or none.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.average_cost import Cost, Kind, Movement, cost_of, trail_of
from journal.bulk import raw_cursor
from kernel.numbers import ZERO

_MATTERS = """
WITH matters AS (
     SELECT coalesce(execution_id, allocation_id, order_id, event_id) AS matter, instrument_id, currency,
            sum(CASE WHEN layer = 'short' THEN -amount ELSE amount END) AS amount, min(kind) AS kind,
            bool_or(order_id IS NOT NULL OR allocation_id IS NOT NULL OR kind IN ('allocation', 'compensation')) AS traded,
            min(order_id::text)::uuid AS order_id, min(recorded_at) AS recorded_at,
            min(id) AS id
       FROM accounts_booking
      WHERE account_id = %(account_id)s AND (order_id IS NOT NULL OR instrument_id IS NOT NULL OR allocation_id IS NOT NULL
             OR kind IN ('split', 'allocation', 'compensation'))
        AND (%(at)s::timestamptz IS NULL OR recorded_at <= %(at)s)
      GROUP BY 1, 2, 3
), stock AS (SELECT * FROM matters WHERE instrument_id IS NOT NULL
), cash AS (SELECT * FROM matters WHERE instrument_id IS NULL)
SELECT s.matter, s.instrument_id, s.amount, s.traded, s.kind, c.amount, c.currency, s.order_id,
       coalesce(x.event_at, s.recorded_at) AS moved_at
  FROM stock s
  LEFT JOIN cash c ON c.matter = s.matter AND (s.traded OR s.kind = 'split')
  LEFT JOIN orders_execution x ON x.id = s.matter
 WHERE (%(instrument_id)s::uuid IS NULL OR s.instrument_id = %(instrument_id)s) AND (s.amount <> 0 OR c.amount <> 0)
 ORDER BY moved_at, x.session_epoch, x.msg_seq_num, s.id
"""
_TOLD = """
SELECT e.id, (l.line ->> 'instrument_id')::uuid, l.line ->> 'cost', l.line ->> 'cost_currency'
  FROM journal_event e CROSS JOIN LATERAL jsonb_array_elements(e.payload -> 'lines') AS l(line)
 WHERE e.id = ANY(%s::uuid[]) AND l.line ->> 'cost' IS NOT NULL
"""
_RESHAPES = frozenset({"split"})
_TAKES_OUT = frozenset({"withdrawal"})


@dataclass(frozen=True, slots=True)
class CostStep:
    """One movement of a position, when the venue made it, its order if it was a trade, and the cost after it."""

    movement: Movement
    moved_at: datetime
    order_id: UUID | None
    after: Cost


def list_costs(*, account_id: UUID, at: datetime | None = None) -> dict[UUID, Cost]:
    """Cost of every instrument the account ever moved, now or as known ``at`` a time. The caller has found it visible."""
    found: defaultdict[UUID, list[Movement]] = defaultdict(list)
    for row, movement in _movements(account_id, None, at):
        found[row[1]].append(movement)
    return {instrument_id: cost_of(movements) for instrument_id, movements in found.items()}


def list_cost_steps(*, account_id: UUID, instrument_id: UUID, at: datetime | None = None) -> list[CostStep]:
    """How the cost of one position came about, movement by movement in the order of the venue."""
    rows = _movements(account_id, instrument_id, at)
    trail = trail_of([movement for _, movement in rows])[1:]
    return [
        CostStep(movement, row[8], row[7], after) for (row, movement), after in zip(rows, trail, strict=True)
    ]  # fmt: skip


def _movements(
    account_id: UUID, instrument_id: UUID | None, at: datetime | None
) -> list[tuple[tuple[Any, ...], Movement]]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_MATTERS, {"account_id": account_id, "instrument_id": instrument_id, "at": at})
        rows = cursor.fetchall()
        cursor.execute(_TOLD, [sorted({row[0] for row in rows if not row[3]})])
        told = {(event_id, key): (Decimal(cost), currency) for event_id, key, cost, currency in cursor.fetchall()}
    return [(row, _movement(row, told)) for row in rows]


def _movement(row: tuple[Any, ...], told: Mapping[tuple[UUID, UUID], tuple[Decimal, str]]) -> Movement:
    matter, instrument_id, qty, traded, kind, cash, currency = row[:7]
    if traded:
        return Movement(Kind.TRADE, qty, cash if cash is not None else ZERO, currency or "", matter)
    if kind in _RESHAPES:
        return Movement(Kind.RESHAPED, qty, cash if cash is not None else ZERO, currency or "", matter)
    if kind in _TAKES_OUT or qty < 0:
        return Movement(Kind.TAKEN_OUT, qty, ZERO, "", matter)
    cost, currency = told.get((matter, instrument_id), (None, ""))
    return Movement(Kind.BROUGHT_IN, qty, -cost if cost is not None else None, currency, matter)
