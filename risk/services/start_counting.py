"""Begin to count scopes: what their orders count now and what they traded in the last week, summed up with nobody counting.

Whoever counts an order waits for this transaction and then counts these scopes too, so that none is missed. A scope that is
counted already is left as it is.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from journal.bulk import one_transaction, raw_cursor
from risk.domain.usage import DAYS_SUMMED
from risk.locks import SCOPES_OF_SHARE, lock_counting

_START = f"""
INSERT INTO risk_limitusage (key, version, counted_from, open_orders, open_buy, open_sell)
SELECT w.key, 0, %s::date, coalesce(sum(m.open_orders), 0), coalesce(sum(m.open_value * m.rate) FILTER (WHERE m.is_buy), 0),
       coalesce(sum(m.open_value * m.rate) FILTER (WHERE NOT m.is_buy), 0)
  FROM unnest(%s::text[]) AS w(key)
  LEFT JOIN (SELECT m.*, s.key FROM risk_orderusage m CROSS JOIN LATERAL {SCOPES_OF_SHARE} AS s(key)
              WHERE m.open_orders = 1) m ON m.key = w.key
 GROUP BY w.key
    ON CONFLICT (key) DO NOTHING RETURNING key
"""  # noqa: S608
_START_DAYS = f"""
INSERT INTO risk_dailyusage (key, business_date, bought, sold)
SELECT s.key, b.trade_date, coalesce(sum(-b.amount * m.rate) FILTER (WHERE m.is_buy), 0),
       coalesce(sum(b.amount * m.rate) FILTER (WHERE NOT m.is_buy), 0)
  FROM accounts_booking b JOIN risk_orderusage m ON m.order_id = b.order_id
       CROSS JOIN LATERAL {SCOPES_OF_SHARE} AS s(key)
 WHERE s.key = ANY(%s::text[]) AND b.trade_date >= %s::date AND b.instrument_id IS NULL
   AND b.kind IN ('trade', 'bust', 'correction')
 GROUP BY s.key, b.trade_date
    ON CONFLICT (key, business_date) DO NOTHING
"""  # noqa: S608


def start_counting(*, keys: Collection[str], at: datetime) -> tuple[str, ...]:
    """Count these scopes from now on, inside the caller's transaction when there is one. Returns those that were not counted before."""
    since = (at - timedelta(days=DAYS_SUMMED)).date()
    with one_transaction(), raw_cursor() as cursor:
        cursor.execute("SELECT key FROM risk_limitusage WHERE key = ANY(%s::text[])", [list(keys)])
        missing = sorted(set(keys) - {row[0] for row in cursor.fetchall()})
        if not missing:
            return ()
        lock_counting()
        cursor.execute(_START, [since, missing])
        begun = sorted(row[0] for row in cursor.fetchall())
        cursor.execute(_START_DAYS, [begun, since])
    return tuple(begun)
