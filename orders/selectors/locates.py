"""Locates with what orders have used and hold of them. Nothing of that is stored: it follows from the orders themselves.

Read under the lock of the account's cash rows (``accounts.locks.lock_money``) it cannot move before commit: captures of
short sales, replaces, approvals and reports all take that lock first.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import orjson

from journal.bulk import raw_cursor
from kernel.fix import OrdStatus
from kernel.numbers import ZERO
from orders.domain.borrowing import borrowed
from orders.domain.holding import OPEN_STATES
from orders.domain.staging import is_staged
from risk.domain.facts import LocateFacts

Key = tuple[UUID, str]

_LOCATES = """
SELECT l.id, l.account_id, l.ref, l.instrument_id, l.qty, l.lender, l.expires_at, o.id, o.cum_qty, o.leaves_qty, o.is_open,
       o.ord_status, r.payload::text
  FROM accounts_locate l
  LEFT JOIN orders_order o ON o.account_id = l.account_id AND o.locate_ref = l.ref AND o.locate_ref <> '' AND o.side IN ('5', '6')
  LEFT JOIN orders_orderrequest r ON r.order_id = o.id AND r.kind = 'replace' AND r.state = ANY(%(open)s)
 WHERE (l.account_id, l.ref) IN (SELECT * FROM unnest(%(accounts)s::uuid[], %(refs)s::text[]))
 ORDER BY l.account_id, l.recorded_at, l.id
"""
_KEYS_OF_ORDERS = """
SELECT DISTINCT account_id, locate_ref FROM orders_order
 WHERE id = ANY(%s::uuid[]) AND locate_ref <> '' AND side IN ('5', '6')
"""
_KEYS_OF_ACCOUNT = "SELECT account_id, ref FROM accounts_locate WHERE account_id = %s"


@dataclass(slots=True)
class LocateUse:
    """A locate, and by order how much of it is used or held."""

    locate_id: UUID
    account_id: UUID
    ref: str
    instrument_id: UUID
    qty: Decimal
    lender: str
    expires_at: datetime
    by_order: dict[UUID, Decimal] = field(default_factory=dict)

    @property
    def used(self) -> Decimal:
        return sum(self.by_order.values(), ZERO)

    @property
    def left(self) -> Decimal:
        """Below zero when facts have taken more than was promised."""
        return self.qty - self.used

    def facts(self, *, own: UUID | None = None, taken: Decimal = ZERO) -> LocateFacts:
        """As checks see it: what is left with the order's ``own`` part given back and ``taken`` by rows before it."""
        back = self.by_order.get(own, ZERO) if own else ZERO
        return LocateFacts(self.ref, self.instrument_id, self.left + back - taken, self.expires_at)


def find_locates(keys: Collection[Key], *, entered_anew: UUID | None = None) -> dict[Key, LocateUse]:
    """Locates by account and name; unknown ones are absent. Of the order that is ``entered_anew`` only what it has sold
    counts: the rest is the new one's."""
    wanted = sorted(set(keys), key=str)
    values = {"accounts": [key[0] for key in wanted], "refs": [key[1] for key in wanted], "open": sorted(OPEN_STATES)}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_LOCATES, values)
        rows = cursor.fetchall()
    found: dict[Key, LocateUse] = {}
    for row in rows:
        use = found.setdefault((row[1], row[2]), LocateUse(*row[:7]))
        order_id, cum_qty, leaves_qty, is_open, ord_status, payload = row[7:]
        if order_id is None:
            continue
        asked = []
        if payload is not None and order_id != entered_anew:
            message = orjson.loads(payload)
            asked = [(Decimal(message["order_qty"]), is_staged(message))]
        taken = borrowed(
            cum_qty=cum_qty,
            leaves_qty=leaves_qty,
            is_open=is_open,
            is_filled=ord_status == OrdStatus.FILLED,
            asked=asked,
        )
        use.by_order[order_id] = max(taken, use.by_order.get(order_id, ZERO))
    return found


def find_locates_of_orders(order_ids: Collection[UUID]) -> list[LocateUse]:
    """The locates that these orders name, as far as they are on record."""
    return _by_keys(_KEYS_OF_ORDERS, [sorted(set(order_ids))])


def list_locates(account_id: UUID) -> list[LocateUse]:
    """All locates of the account, oldest first. The caller has found it visible."""
    return _by_keys(_KEYS_OF_ACCOUNT, [account_id])


def _by_keys(sql: str, values: list[object]) -> list[LocateUse]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(sql, values)
        keys = cursor.fetchall()
    return list(find_locates([(key[0], key[1]) for key in keys]).values()) if keys else []
