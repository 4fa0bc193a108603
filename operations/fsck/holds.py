"""What every open order should hold, by the formula that decides it, against what accounts holds for it."""

from __future__ import annotations

from collections.abc import Iterator

import orjson

from accounts.domain.arithmetic import HoldAmounts
from kernel.fix import OrdStatus
from kernel.numbers import ZERO
from operations.fsck.check import Found
from operations.fsck.snapshot import Snapshot
from orders.domain.charging import kept_fees
from orders.domain.holding import OPEN_STATES, asked_of, held_for, priced_of

_OPEN = f"""
SELECT o.ref, o.side, o.ord_type, o.price, o.stop_px, o.leaves_qty, o.cum_qty,
       json_build_object('reference_price', o.instrument_snapshot -> 'reference_price',
                         'currency', o.instrument_snapshot -> 'currency',
                         'price_divisor', o.instrument_snapshot -> 'price_divisor')::text,
       (o.instrument_snapshot ->> 'instrument_id')::uuid, o.fees::text, o.is_open, o.ord_status,
       a.payloads::text, r.cash_currency, r.cash, r.instrument_id, r.stock
  FROM orders_order o
  LEFT JOIN accounts_reservation r ON r.order_id = o.id
  LEFT JOIN (SELECT order_id, json_agg(payload) AS payloads FROM orders_orderrequest
              WHERE kind = 'replace' AND state IN ({", ".join(f"'{state}'" for state in sorted(OPEN_STATES))})
              GROUP BY order_id) a ON a.order_id = o.id
 WHERE o.is_open OR a.order_id IS NOT NULL
"""


def differing_holds(snapshot: Snapshot) -> Iterator[Found]:
    """Orders that may hold something and do not hold what they need. Holds of orders that are over are another check's."""
    for row in snapshot.stream(_OPEN):
        (
            ref,
            side,
            ord_type,
            price,
            stop_px,
            leaves_qty,
            cum_qty,
            text,
            instrument_id,
            fees,
            is_open,
            ord_status,
            asked,
            *kept,
        ) = row
        market = orjson.loads(text)
        wanted = held_for(
            priced_of(
                side=side,
                ord_type=ord_type,
                price=price,
                stop_px=stop_px,
                snapshot=market,
                fees=kept_fees(orjson.loads(fees) if fees else None).terms,
            ),
            leaves_qty=leaves_qty,
            cum_qty=cum_qty,
            is_open=is_open,
            is_filled=ord_status == OrdStatus.FILLED,
            asked=[asked_of(payload) for payload in orjson.loads(asked)] if asked else [],
        )
        currency, cash, held_id, stock = kept
        held = HoldAmounts(cash or ZERO, stock or ZERO)
        if held != wanted:
            yield Found(
                ref, f"holds {held.cash} and {held.stock} units; it needs {wanted.cash} and {wanted.stock} units"
            )
        elif (held.cash and currency != market["currency"]) or (held.stock and held_id != instrument_id):
            yield Found(
                ref, f"holds {currency} and units of {held_id}; it trades {instrument_id} in {market['currency']}"
            )
