"""What every open order should hold, by the formula that decides it, against what accounts holds for it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import orjson

from accounts.domain.arithmetic import HoldAmounts
from kernel.numbers import ZERO
from operations.fsck.check import Found
from operations.fsck.snapshot import Snapshot
from orders.domain.holding import OPEN_STATES, asked_of, held_for, priced_of

_OPEN = f"""
SELECT o.ref, o.side, o.ord_type, o.price, o.stop_px, o.leaves_qty, o.cum_qty,
       json_build_object('reference_price', o.instrument_snapshot -> 'reference_price',
                         'currency', o.instrument_snapshot -> 'currency',
                         'price_divisor', o.instrument_snapshot -> 'price_divisor')::text,
       (o.instrument_snapshot ->> 'instrument_id')::uuid, a.payloads::text, r.cash_currency, r.cash, r.instrument_id, r.stock
  FROM orders_order o
  LEFT JOIN accounts_reservation r ON r.order_id = o.id
  LEFT JOIN (SELECT order_id, json_agg(payload) AS payloads FROM orders_orderrequest
              WHERE kind = 'replace' AND state IN ({", ".join(f"'{state}'" for state in sorted(OPEN_STATES))})
              GROUP BY order_id) a ON a.order_id = o.id
 WHERE o.is_open
"""


def differing_holds(snapshot: Snapshot) -> Iterator[Found]:
    """Open orders whose reservation is not what they need. Those of closed orders are another check's matter."""
    for row in snapshot.stream(_OPEN, binary=True):
        ref, side, ord_type, price, stop_px, leaves_qty, cum_qty, text, instrument_id, payloads, *kept = row
        market = orjson.loads(text)
        terms = priced_of(side=side, ord_type=ord_type, price=price, stop_px=stop_px, snapshot=market)
        asked = [asked_of(payload) for payload in orjson.loads(payloads)] if payloads else []
        wanted = held_for(terms, leaves_qty=leaves_qty, cum_qty=cum_qty, is_open=True, asked=asked)
        held = HoldAmounts(kept[1] or ZERO, kept[3] or ZERO)
        if held != wanted:
            yield Found(
                ref, f"holds {held.cash} and {held.stock} units; it needs {wanted.cash} and {wanted.stock} units"
            )
        elif not _same_kind(kept[0], kept[1], market["currency"]) or not _same_kind(kept[2], kept[3], instrument_id):
            yield Found(
                ref, f"holds {kept[0]} and units of {kept[2]}; it trades {instrument_id} in {market['currency']}"
            )


def _same_kind(kind: str | UUID | None, amount: Decimal | None, wanted: str | UUID) -> bool:
    return not amount or kind == wanted
