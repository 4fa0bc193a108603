"""What files told of orders: executions by order and ExecID, and the record behind each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from journal.bulk import raw_cursor
from kernel.fix import ExecType

_FILED = """
SELECT f.id, f.order_id, f.exec_id, f.identity, f.file, f.line, f.heard_as, f.said ->> 0, (f.said ->> 1)::numeric,
       (f.said ->> 2)::numeric
  FROM unnest(%s::uuid[], %s::text[]) AS r(order_id, exec_id)
  JOIN orders_filedreport f ON f.order_id = r.order_id AND f.exec_id = r.exec_id AND f.exec_id <> ''
 GROUP BY f.id ORDER BY f.filed_at, f.id
"""


class FiledTrade(NamedTuple):
    """An execution as a file told it."""

    id: UUID
    order_id: UUID
    identity: str
    file: str
    line: int
    heard_as: str
    exec_type: ExecType
    qty: Decimal
    px: Decimal


def find_filed(named: Mapping[UUID, Sequence[str]]) -> dict[tuple[UUID, str], list[FiledTrade]]:
    """By order and ExecID, oldest first: of each order those ExecIDs that are named."""
    pairs = [(order_id, exec_id) for order_id, names in named.items() for exec_id in names if exec_id]
    if not pairs:
        return {}
    found: dict[tuple[UUID, str], list[FiledTrade]] = {}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_FILED, [[pair[0] for pair in pairs], [pair[1] for pair in pairs]])
        for row_id, order_id, exec_id, identity, file, line, heard_as, kind, qty, px in cursor.fetchall():
            trade = FiledTrade(row_id, order_id, identity, file, line, heard_as, ExecType(kind), qty, px)
            found.setdefault((order_id, exec_id), []).append(trade)
    return found
