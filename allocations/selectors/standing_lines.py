"""The lines of a block that stand, as they are undone: ten thousand at once, so as tuples."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any, Final, NamedTuple
from uuid import UUID

from allocations.domain import transitions as moves
from journal.bulk import raw_cursor

_LINES: Final = """
SELECT id, number, account_id, booked_account_id, side, qty, avg_px, gross, fees, net, trade_date, settlement_date, charges,
       is_rounding, state, reason, compensates_id
  FROM allocations_allocation WHERE block_id = %s AND state <> %s ORDER BY number
"""


class Kept(NamedTuple):
    """A line by the names of its columns; ``charges`` as lists of [kind, name, version, amount as text]."""

    id: UUID
    number: int
    account_id: UUID
    booked_account_id: UUID
    side: str
    qty: Decimal
    avg_px: Decimal
    gross: Decimal
    fees: Decimal
    net: Decimal
    trade_date: date
    settlement_date: date
    charges: list[list[Any]]
    is_rounding: bool
    state: str
    reason: str
    compensates_id: UUID | None


def standing_lines(block_id: UUID) -> list[Kept]:
    """Every line that was not reversed, by number: booked, parked, compensated and what compensates. One statement."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_LINES, [block_id, moves.REVERSED])
        return [Kept(*row) for row in cursor.fetchall()]
