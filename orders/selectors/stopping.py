"""Which orders a scope of a stop is about. Whoever may press stops them all, so nothing here asks who looks."""

from __future__ import annotations

from dataclasses import dataclass

from journal.bulk import raw_cursor
from risk.models import Scope

IN_SCOPE: dict[str, str] = {
    Scope.FIRM: "true",
    Scope.DESK: "o.desk_id = %(scope_id)s::bigint",
    Scope.DEALER: "o.owner_id = %(scope_id)s::bigint",
    Scope.CLIENT: "o.account_id IN (SELECT id FROM accounts_tradingaccount WHERE client_id = %(scope_id)s::uuid)",
    Scope.ACCOUNT: "o.account_id = %(scope_id)s::uuid",
    Scope.STRATEGY: "o.strategy = %(scope_id)s",
    Scope.INSTRUMENT: "o.listing_id IN (SELECT id FROM refdata_listing WHERE instrument_id = %(scope_id)s::uuid)",
    Scope.VENUE: "o.listing_id IN (SELECT id FROM refdata_listing WHERE market_id = %(scope_id)s)",
}
"""Condition over ``orders_order o`` for each kind of scope: the scopes of the last boundary, said of rows."""

_REACH = """
SELECT count(*) FILTER (WHERE n.state IS NULL OR n.state NOT IN ('captured', 'pending_authorisation', 'released')),
       count(*) FILTER (WHERE n.state IN ('captured', 'pending_authorisation', 'released'))
  FROM orders_order o LEFT JOIN orders_orderrequest n ON n.order_id = o.id AND n.seq = 1 AND n.kind = 'new'
 WHERE o.is_open AND {condition}
"""


@dataclass(frozen=True, slots=True)
class Reach:
    """How many open orders a stop would end: ``working`` are the venue's to cancel, ``queued`` never left the house."""

    working: int
    queued: int


def count_reach(*, scope: str, scope_id: str) -> Reach:
    """What a stop of the scope would reach now. One statement over the open orders."""
    with raw_cursor() as cursor:
        cursor.execute(_REACH.format(condition=IN_SCOPE[scope]), {"scope_id": scope_id})
        row = cursor.fetchone()
    return Reach(*row) if row else Reach(0, 0)
