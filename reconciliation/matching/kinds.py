"""Which comparison a kind has, and which markets a source speaks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from reconciliation.domain.records import Kind
from reconciliation.matching import cash, executions, orders, positions, post_trade
from reconciliation.matching.comparing import Compared, Task

COMPARE: dict[Kind, Callable[[Any, Task], Compared]] = {
    Kind.ORDERS: orders.compare,
    Kind.OPEN_ORDERS: orders.compare_open,
    Kind.EXECUTIONS: executions.compare,
    Kind.POSITIONS: positions.compare,
    Kind.CASH: cash.compare,
    Kind.ALLOCATIONS: post_trade.compare_allocations,
    Kind.SETTLEMENTS: post_trade.compare_settlements,
}

_MARKETS = """
SELECT mic FROM refdata_market WHERE mic = %s
UNION SELECT vm.market_id FROM venues_venue_markets vm WHERE vm.venue_id = %s
UNION SELECT vm.market_id FROM venues_fixsession s JOIN venues_venue_markets vm ON vm.venue_id = s.venue_id
       WHERE s."group" = %s OR s.name = %s
"""


def markets_of(cursor: Any, source: str) -> tuple[str, ...]:
    """The markets of a source that is one, or a venue or session of ours; none for whoever speaks for all of them."""
    cursor.execute(_MARKETS, [source] * 4)
    return tuple(sorted(row[0] for row in cursor.fetchall()))
