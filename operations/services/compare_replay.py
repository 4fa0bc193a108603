"""Rebuild everything from the journal and compare it with the tables: one order, one account, or all. Reads only.

One repeatable-read transaction, so a running house cannot move under the comparison; slices of accounts and of orders,
so memory is bounded whatever the size of the house.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from accounts.domain.replaying import OrderShare
from accounts.services.replay_accounts import replay_accounts
from journal.bulk import one_moment, raw_cursor
from journal.domain.differing import ABSENT, Difference
from kernel.collecting import no_collecting
from kernel.errors import NotFound
from orders.services.replay_orders import (
    ReplayedOrders,
    list_order_slices,
    list_suspended_orders,
    list_suspense_ids,
    list_unknown_shares,
    replay_orders,
)

ACCOUNTS_A_SLICE = 200
ORDERS_A_SLICE = 500
KEPT = 1000
_ORDER = "SELECT id FROM orders_order WHERE id::text = %s OR ref = upper(%s)"
_ACCOUNT = "SELECT id FROM accounts_tradingaccount WHERE id::text = %s OR code = %s"
_ACCOUNTS_OF = "SELECT DISTINCT account_id FROM orders_order WHERE id = ANY(%s::uuid[])"
_ACCOUNT_SLICE = "SELECT id FROM accounts_tradingaccount WHERE id > %s ORDER BY id LIMIT %s"
# What the slices by account cannot meet: streams whose row is gone, and orders of an account that is none.
_ROWS_MISSING = """
SELECT e.stream FROM journal_event e
 WHERE e.kind IN ('OrderCaptured', 'OrderPhoned')
   AND NOT EXISTS (SELECT FROM orders_order o WHERE o.id = substr(e.stream, 7)::uuid)
UNION ALL
SELECT e.stream FROM journal_event e
 WHERE e.kind = 'AccountOpened'
   AND NOT EXISTS (SELECT FROM accounts_tradingaccount a WHERE a.id = substr(e.stream, 9)::uuid)
UNION ALL
SELECT 'account:' || (l.line ->> 0) FROM journal_event e CROSS JOIN LATERAL jsonb_array_elements(e.payload -> 'opened') AS l(line)
 WHERE e.kind = 'AccountsLoaded'
   AND NOT EXISTS (SELECT FROM accounts_tradingaccount a WHERE a.id = (l.line ->> 0)::uuid)
"""
_WITHOUT_ACCOUNT = """
SELECT o.id FROM orders_order o
 WHERE NOT EXISTS (SELECT FROM accounts_tradingaccount a WHERE a.id = o.account_id) ORDER BY o.id
"""


@dataclass(slots=True)
class ReplayResult:
    """How much was rebuilt, and what differs: all differences are counted, the first ``KEPT`` are kept.

    ``untold`` counts orders of before the events told everything; they are not compared.
    """

    orders: int = 0
    accounts: int = 0
    events: int = 0
    untold: int = 0
    differing: int = 0
    differences: list[Difference] = field(default_factory=list)

    def add(self, found: Sequence[Difference]) -> None:
        """Count them, keep as many as there is room for."""
        self.differing += len(found)
        self.differences += found[: max(KEPT - len(self.differences), 0)]


def compare_replay(*, order: str = "", account: str = "") -> ReplayResult:
    """Compare one order (id or reference), one account (id or code) with its orders, or everything when none is named.

    Raises NotFound ORDER_UNKNOWN or ACCOUNT_UNKNOWN.
    """
    result = ReplayResult()
    with one_moment():
        if order:
            found = _ids(_ORDER, [order.lower(), order])
            if not found:
                raise NotFound("ORDER_UNKNOWN", f"There is no order {order}.")
            _orders(found, result)
        elif account:
            found = _ids(_ACCOUNT, [account.lower(), account])
            if not found:
                raise NotFound("ACCOUNT_UNKNOWN", f"There is no account {account}.")
            if found[0] in list_suspense_ids():
                suspended = _suspended(list_suspended_orders(found[0]), result)
                _suspense(found, suspended, result)
            else:
                _accounts(found, result)
        else:
            suspense, suspended = list_suspense_ids(), []
            for slice_ in _account_slices():
                suspended += _accounts([one for one in slice_ if one not in suspense], result)
            suspended += _suspended(_ids(_WITHOUT_ACCOUNT, []), result)
            _suspense(suspense, suspended, result)
            result.add([Difference(stream, "row", "a row", ABSENT) for stream in _column(_ROWS_MISSING, [])])
    return result


def _orders(order_ids: Sequence[UUID], result: ReplayResult) -> ReplayedOrders:
    with no_collecting():
        done = replay_orders(order_ids=order_ids)
    result.orders += done.orders
    result.events += done.events
    result.untold += len(done.untold)
    result.add(done.differences)
    return done


def _suspended(order_ids: Sequence[UUID], result: ReplayResult) -> list[OrderShare]:
    """What of these orders lies in suspense."""
    found: list[OrderShare] = []
    for start in range(0, len(order_ids), ORDERS_A_SLICE):
        found += _orders(order_ids[start : start + ORDERS_A_SLICE], result).suspended
    return found


def _suspense(account_ids: Sequence[UUID], suspended: Sequence[OrderShare], result: ReplayResult) -> None:
    """Suspense accounts come last: what lies in them comes from orders of all accounts, and from nobody's."""
    shares = [*suspended, *list_unknown_shares()]
    result.add(replay_accounts(account_ids=account_ids, shares=shares))
    result.accounts += len(account_ids)


def _accounts(account_ids: Sequence[UUID], result: ReplayResult) -> list[OrderShare]:
    """The orders of the accounts slice by slice, then their money; where an order tells too little, so does its account.

    Returns what of the orders lies in suspense.
    """
    untold: list[UUID] = []
    suspended: list[OrderShare] = []

    def shares() -> Iterator[OrderShare]:
        for order_ids in list_order_slices(account_ids, size=ORDERS_A_SLICE):
            done = _orders(order_ids, result)
            untold.extend(done.untold)
            suspended.extend(done.suspended)
            yield from done.shares

    found = replay_accounts(account_ids=account_ids, shares=shares())
    dark = {f"account:{account_id}" for account_id in _ids(_ACCOUNTS_OF, [untold])} if untold else set()
    result.add([one for one in found if one.subject not in dark])
    result.accounts += len(account_ids)
    return suspended


def _account_slices() -> Iterator[list[UUID]]:
    last = UUID(int=0)
    while ids := _ids(_ACCOUNT_SLICE, [last, ACCOUNTS_A_SLICE]):
        yield ids
        last = ids[-1]


def _ids(sql: str, values: list[Any]) -> list[UUID]:
    return _column(sql, values)


def _column(sql: str, values: list[Any]) -> list[Any]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]
