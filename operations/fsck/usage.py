"""Level 3: what limits are judged on is what orders and executions add up to, and no mark is judged on nothing."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from kernel.fix import OrdStatus
from kernel.numbers import ZERO
from operations.fsck.check import Check, Found, Level
from operations.fsck.snapshot import Snapshot
from orders.domain.counting import counted_for
from orders.domain.holding import OPEN_STATES, asked_of, priced_of
from risk.domain.usage import COUNTED_KINDS, Counted
from risk.locks import SCOPES_OF_SHARE

_OPEN = f"""
SELECT coalesce(o.ref, u.order_id::text), o.side, o.ord_type, o.price, o.stop_px, o.leaves_qty, o.cum_qty,
       json_build_object('reference_price', o.instrument_snapshot -> 'reference_price',
                         'currency', o.instrument_snapshot -> 'currency',
                         'price_divisor', o.instrument_snapshot -> 'price_divisor')::text,
       coalesce(o.is_open, false), o.ord_status, a.payloads::text, u.open_orders, u.open_qty, u.open_value,
       u.order_id IS NULL OR (u.account_id = o.account_id AND u.desk_id = o.desk_id AND u.dealer_id = o.owner_id
           AND u.strategy = o.strategy AND u.is_buy = (o.side = '1')
           AND u.instrument_id = (o.instrument_snapshot ->> 'instrument_id')::uuid
           AND u.currency = o.instrument_snapshot ->> 'currency')
  FROM orders_order o
  FULL JOIN (SELECT * FROM risk_orderusage WHERE open_orders = 1) u ON u.order_id = o.id
  LEFT JOIN (SELECT order_id, json_agg(payload) AS payloads FROM orders_orderrequest
              WHERE kind = 'replace' AND state IN ({", ".join(f"'{state}'" for state in sorted(OPEN_STATES))})
              GROUP BY order_id) a ON a.order_id = o.id
 WHERE o.is_open OR a.order_id IS NOT NULL OR u.order_id IS NOT NULL
"""


def differing_counts(snapshot: Snapshot) -> Iterator[Found]:
    """Orders that count something else than their row and their open replaces say, or for somebody else."""
    for row in snapshot.stream(_OPEN):
        (
            ref, side, ord_type, price, stop_px, leaves_qty, cum_qty, text, is_open, ord_status, asked,
            orders, qty, value, same,
        ) = row  # fmt: skip
        if side is None:
            yield Found(ref, "counts and does not exist")
            continue
        wanted = counted_for(
            priced_of(side=side, ord_type=ord_type, price=price, stop_px=stop_px, snapshot=orjson.loads(text), fees=()),
            leaves_qty=leaves_qty,
            cum_qty=cum_qty,
            is_open=is_open,
            is_filled=ord_status == OrdStatus.FILLED,
            asked=[asked_of(payload) for payload in orjson.loads(asked)] if asked else [],
        )
        counted = Counted(orders or 0, qty or ZERO, value or ZERO)
        if counted != wanted:
            yield Found(
                ref,
                f"counts {counted.open_orders} order, {counted.open_qty} units, {counted.open_value}; "
                f"it is {wanted.open_orders}, {wanted.open_qty} and {wanted.open_value}",
            )
        elif not same:
            yield Found(
                ref, "counts for another desk, dealer, account, strategy, instrument, side or currency than its own"
            )


_SUMS = f"""
WITH summed AS (
     SELECT s.key, count(*) AS orders, coalesce(sum(m.open_value * m.rate) FILTER (WHERE m.is_buy), 0) AS buys,
            coalesce(sum(m.open_value * m.rate) FILTER (WHERE NOT m.is_buy), 0) AS sells
       FROM risk_orderusage m CROSS JOIN LATERAL {SCOPES_OF_SHARE} AS s(key)
      WHERE m.open_orders = 1 AND s.key IN (SELECT key FROM risk_limitusage) GROUP BY s.key
)
SELECT l.key AS subject,
       format('uses %s orders, %s bought and %s sold; its orders are %s, %s and %s', l.open_orders, l.open_buy, l.open_sell,
              coalesce(s.orders, 0), coalesce(s.buys, 0), coalesce(s.sells, 0)) AS what
  FROM risk_limitusage l LEFT JOIN summed s ON s.key = l.key
 WHERE (l.open_orders, l.open_buy, l.open_sell) IS DISTINCT FROM
       (coalesce(s.orders, 0), coalesce(s.buys, 0), coalesce(s.sells, 0))
"""

_DAYS = f"""
WITH booked AS (
     SELECT s.key, b.trade_date, coalesce(sum(-b.amount * m.rate) FILTER (WHERE m.is_buy), 0) AS bought,
            coalesce(sum(b.amount * m.rate) FILTER (WHERE NOT m.is_buy), 0) AS sold
       FROM accounts_booking b JOIN risk_orderusage m ON m.order_id = b.order_id
            CROSS JOIN LATERAL {SCOPES_OF_SHARE} AS s(key)
       JOIN risk_limitusage l ON l.key = s.key AND b.trade_date >= l.counted_from
      WHERE b.instrument_id IS NULL AND b.kind IN ('trade', 'bust', 'correction') GROUP BY s.key, b.trade_date
)
SELECT coalesce(d.key, b.key) || ' on ' || coalesce(d.business_date, b.trade_date) AS subject,
       format('is said to have bought %s and sold %s; it is %s and %s', coalesce(d.bought, 0), coalesce(d.sold, 0),
              coalesce(b.bought, 0), coalesce(b.sold, 0)) AS what
  FROM risk_dailyusage d FULL JOIN booked b ON b.key = d.key AND b.trade_date = d.business_date
 WHERE (coalesce(d.bought, 0), coalesce(d.sold, 0)) IS DISTINCT FROM (coalesce(b.bought, 0), coalesce(b.sold, 0))
"""

_UNCOUNTED = f"""
SELECT DISTINCT m.scope || ':' || m.scope_id AS subject, 'has a mark on ' || m.kind || ' and is not counted' AS what
  FROM risk_limit m LEFT JOIN risk_limitusage l ON l.key = m.scope || ':' || m.scope_id
 WHERE l.key IS NULL AND m.kind IN ({", ".join(f"'{kind}'" for kind in sorted(COUNTED_KINDS))})
"""

_REMEDY = "Switch trading off (risk.switch_trading): orders are judged on wrong sums. The order's next change sets its share right"

CHECKS = (
    Check(
        "ORDER_USAGE_DIFFERS", "I4", Level.MONEY,
        "Every order counts against limits what its leaves and its open replaces are, for those whose order it is.",
        f"{_REMEDY}.",
        look=differing_counts,
    ),
    Check(
        "LIMIT_USAGE_DIFFERS", "I4", Level.MONEY,
        "What a counted scope uses is the sum of what its open orders count.",
        f"{_REMEDY}; a scope's row is summed up anew by deleting it and starting to count it again.",
        sql=_SUMS,
    ),
    Check(
        "DAILY_USAGE_DIFFERS", "I4", Level.MONEY,
        "What a counted scope bought and sold on a business date is the sum of the bookings of its trades.",
        f"{_REMEDY}.",
        sql=_DAYS,
    ),
    Check(
        "LIMIT_NOT_COUNTED", "I4", Level.MONEY,
        "Every scope with a mark on usage is counted.",
        "Orders of the scope are refused until it is: start counting it (risk.start_counting).",
        sql=_UNCOUNTED,
    ),
)  # fmt: skip
