"""What orders count from now on, and what they traded on which day: shares and the sums of their scopes, as one change.

One statement, inside the caller's transaction, after everything else it locks: the shares by ascending order, then the
counted scopes by ascending key. Counts are absolute, so saying the same twice changes nothing; trades are changes. Facts
are always counted: nothing here refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from journal.bulk import raw_cursor, write_rows
from kernel.numbers import ZERO
from risk.domain.usage import Counted
from risk.models import OrderUsage

SCOPES_OF_SHARE = """(VALUES ('firm:'), ('desk:' || m.desk_id), ('dealer:' || m.dealer_id), ('client:' || m.client_id),
       ('account:' || m.account_id), ('instrument:' || m.instrument_id), ('venue:' || m.mic),
       (CASE WHEN m.strategy <> '' THEN 'strategy:' || m.strategy END))"""
"""The keys of the scopes that a share ``m`` is part of: the same rule as ``selectors.Scopes``."""

_SET = f"""
WITH given AS (
     SELECT * FROM unnest(%s::uuid[], %s::int[], %s::numeric[], %s::numeric[])
            AS g(order_id, open_orders, open_qty, open_value)
), traded AS (
     SELECT * FROM unnest(%s::uuid[], %s::date[], %s::numeric[], %s::numeric[])
            AS t(order_id, business_date, bought, sold)
), old AS MATERIALIZED (
     SELECT u.* FROM risk_orderusage u WHERE u.order_id IN (SELECT order_id FROM given)
      ORDER BY u.order_id FOR NO KEY UPDATE
), moved AS (
     UPDATE risk_orderusage u SET open_orders = g.open_orders, open_qty = g.open_qty, open_value = g.open_value
       FROM given g JOIN old o ON o.order_id = g.order_id
      WHERE u.order_id = g.order_id
        AND (o.open_orders, o.open_qty, o.open_value) IS DISTINCT FROM (g.open_orders::smallint, g.open_qty, g.open_value)
  RETURNING o.desk_id, o.dealer_id, o.client_id, o.account_id, o.instrument_id, o.mic, o.strategy, o.is_buy,
            g.open_orders - o.open_orders AS orders, (g.open_value - o.open_value) * o.rate AS value
), days AS (
     SELECT u.desk_id, u.dealer_id, u.client_id, u.account_id, u.instrument_id, u.mic, u.strategy, t.business_date,
            t.bought * u.rate AS bought, t.sold * u.rate AS sold
       FROM traded t JOIN risk_orderusage u ON u.order_id = t.order_id
), delta AS (
     SELECT s.key, sum(m.orders) AS orders, sum(m.value) FILTER (WHERE m.is_buy) AS buys,
            sum(m.value) FILTER (WHERE NOT m.is_buy) AS sells
       FROM moved m CROSS JOIN LATERAL {SCOPES_OF_SHARE} AS s(key) WHERE s.key IS NOT NULL GROUP BY s.key
), day_delta AS (
     SELECT s.key, m.business_date, sum(m.bought) AS bought, sum(m.sold) AS sold
       FROM days m CROSS JOIN LATERAL {SCOPES_OF_SHARE} AS s(key) WHERE s.key IS NOT NULL GROUP BY s.key, m.business_date
), locked AS MATERIALIZED (
     SELECT l.key, l.counted_from FROM risk_limitusage l
      WHERE l.key IN (SELECT key FROM delta UNION SELECT key FROM day_delta) ORDER BY l.key FOR NO KEY UPDATE
), counted AS (
     UPDATE risk_limitusage l SET open_orders = l.open_orders + coalesce(d.orders, 0),
            open_buy = l.open_buy + coalesce(d.buys, 0), open_sell = l.open_sell + coalesce(d.sells, 0),
            version = l.version + 1
       FROM locked k LEFT JOIN delta d ON d.key = k.key WHERE l.key = k.key
  RETURNING l.key
), daily AS (
     INSERT INTO risk_dailyusage AS u (key, business_date, bought, sold)
     SELECT d.key, d.business_date, d.bought, d.sold FROM day_delta d JOIN locked k ON k.key = d.key AND d.business_date >= k.counted_from
      ORDER BY d.key, d.business_date
         ON CONFLICT (key, business_date) DO UPDATE SET bought = u.bought + excluded.bought, sold = u.sold + excluded.sold
)
SELECT key FROM counted ORDER BY key
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class OrderCount:
    """What one order counts from now on, in whole (not a difference)."""

    order_id: UUID
    counted: Counted


@dataclass(frozen=True, slots=True)
class DayTrade:
    """By how much an order's executions of one business date changed: what was bought, what was sold, in its currency."""

    order_id: UUID
    business_date: date
    bought: Decimal = ZERO
    sold: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class OrderShare:
    """For whom a new order counts, and what: one row of ``risk_orderusage``."""

    order_id: UUID
    desk_id: int
    dealer_id: int
    client_id: UUID
    account_id: UUID
    instrument_id: UUID
    mic: str
    strategy: str
    is_buy: bool
    currency: str
    rate: Decimal
    counted: Counted

    def values(self, counted: Counted) -> tuple[Any, ...]:
        """The row's columns in the order of ``SHARE_FIELDS``, counting ``counted``."""
        return (
            self.order_id, self.desk_id, self.dealer_id, self.client_id, self.account_id, self.instrument_id, self.mic,
            self.strategy, self.is_buy, self.currency, self.rate, *counted_values(counted),
        )  # fmt: skip


def share_keys(share: OrderShare) -> list[str]:
    """The keys of the scopes it is part of, in the order in which they are locked."""
    keys = [
        "firm:", f"desk:{share.desk_id}", f"dealer:{share.dealer_id}", f"client:{share.client_id}",
        f"account:{share.account_id}", f"instrument:{share.instrument_id}", f"venue:{share.mic}",
    ]  # fmt: skip
    if share.strategy:
        keys.append(f"strategy:{share.strategy}")
    return sorted(keys)


SHARE_FIELDS = (
    "order_id", "desk_id", "dealer_id", "client_id", "account_id", "instrument_id", "mic", "strategy", "is_buy",
    "currency", "rate", "open_orders", "open_qty", "open_value",
)  # fmt: skip


def counted_values(counted: Counted) -> tuple[int, Decimal, Decimal]:
    """As columns."""
    return (counted.open_orders, counted.open_qty, counted.open_value)


def set_usage(*, counts: Sequence[OrderCount], trades: Sequence[DayTrade] = ()) -> tuple[str, ...]:
    """Count that from now on. Returns the keys of the counted scopes whose sums changed; they stay locked until commit."""
    if not counts and not trades:
        return ()
    rows = [(item.order_id, *counted_values(item.counted)) for item in counts]
    days = [(item.order_id, item.business_date, item.bought, item.sold) for item in trades]
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_SET, [*_columns(rows), *_columns(days)])
        return tuple(row[0] for row in cursor.fetchall())


def add_orders(shares: Sequence[OrderShare]) -> tuple[str, ...]:
    """Count new orders: their shares come to be at nothing, then count what they count."""
    write_rows(OrderUsage, [share.values(Counted()) for share in shares], fields=SHARE_FIELDS)
    return set_usage(counts=[OrderCount(share.order_id, share.counted) for share in shares])


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], [], []]
