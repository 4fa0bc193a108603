"""What every order-day should be charged, by the formula that charges it, against what its order keeps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import orjson

from accounts.domain.fees import OrderFees, Traded
from kernel.numbers import ZERO
from operations.fsck.check import Found
from operations.fsck.snapshot import Snapshot
from orders.domain.charging import kept_fees

_CHARGED = """
SELECT o.ref, o.fees::text, (o.instrument_snapshot ->> 'price_divisor')::int, o.instrument_snapshot ->> 'currency',
       x.trades::text
  FROM orders_order o
  JOIN (SELECT order_id, json_agg(json_build_array(trade_date, effective_qty::text, effective_px::text)) AS trades
          FROM orders_execution GROUP BY order_id) x ON x.order_id = o.id
 WHERE o.fees IS NOT NULL
 UNION ALL
SELECT o.ref, o.fees::text, 1, o.instrument_snapshot ->> 'currency', '[]'
  FROM orders_order o WHERE o.fees -> 'days' <> '{}' AND NOT EXISTS (SELECT FROM orders_execution x WHERE x.order_id = o.id)
"""


def differing_fees(snapshot: Snapshot) -> Iterator[Found]:
    """Order-days that keep another quantity, value or charge than their executions make. Bookings are another check's."""
    for ref, text, divisor, currency, trades in snapshot.stream(_CHARGED):
        kept = kept_fees(orjson.loads(text))
        days = {day: held._replace(qty=ZERO, notional=ZERO, booked={}) for day, held in kept.days.items()}
        wanted = OrderFees(kept.sets, kept.current, kept.as_of, days)
        for day, qty, px in orjson.loads(trades):
            traded = Traded(Decimal(qty), Decimal(px))
            wanted, _ = wanted.traded(date.fromisoformat(day), _NOTHING, traded, divisor=divisor, currency=currency)
        for day in sorted(wanted.days.keys() | kept.days.keys()):
            want, have = wanted.days.get(day), kept.days.get(day)
            if want != have:
                yield Found(f"{ref} {day}", f"keeps {have}; its executions make {want}")


_NOTHING = Traded(ZERO, ZERO)
