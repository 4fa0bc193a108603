"""The open orders a restriction concerns: its instrument, its scope, its side."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from journal.bulk import raw_cursor
from risk.models import Restriction, Scope

_IN_SCOPE: dict[str, str] = {
    Scope.FIRM: "true",
    Scope.DESK: "o.desk_id = %(scope_id)s::bigint",
    Scope.DEALER: "o.owner_id = %(scope_id)s::bigint",
    Scope.CLIENT: "o.account_id IN (SELECT id FROM accounts_tradingaccount WHERE client_id = %(scope_id)s::uuid)",
    Scope.ACCOUNT: "o.account_id = %(scope_id)s::uuid",
    Scope.STRATEGY: "o.strategy = %(scope_id)s",
}
_SIDES = {"both": "true", "buy": "o.side = '1'", "sell": "o.side <> '1'"}
_FROM = """
  FROM orders_order o
 WHERE o.is_open AND o.listing_id IN (SELECT id FROM refdata_listing WHERE instrument_id = %(instrument_id)s::uuid)
"""
MOST_NAMED = 50


class Concerned(NamedTuple):
    """An open order that a restriction concerns."""

    order_id: UUID
    ref: str
    desk_id: int


def count_working(restriction: Restriction) -> int:
    """How many open orders the restriction concerns now."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(f"SELECT count(*) {_where(restriction)}", _values(restriction))
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def list_working(restriction: Restriction, *, limit: int, after: UUID | None = None) -> list[Concerned]:
    """Those orders, oldest first, behind ``after``."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            f"SELECT o.id, o.ref, o.desk_id {_where(restriction)} AND (%(after)s::uuid IS NULL OR o.id > %(after)s::uuid) "
            "ORDER BY o.id LIMIT %(limit)s",
            _values(restriction) | {"limit": limit, "after": after},
        )
        return [Concerned(*row) for row in cursor.fetchall()]


def _where(restriction: Restriction) -> str:
    return f"{_FROM} AND {_IN_SCOPE[restriction.scope]} AND {_SIDES[restriction.sides]}"


def _values(restriction: Restriction) -> dict[str, object]:
    return {"scope_id": restriction.scope_id, "instrument_id": restriction.subject_id}
