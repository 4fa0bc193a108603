"""Derives every order again from the facts about it and compares with the columns people read.

The same pure core that wrote the columns reads the facts; the trading day is the latest the order has lived through: that
of its entry, of its reports, or the one its status was last derived for.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import orjson

from operations.fsck.check import Found
from operations.fsck.snapshot import Snapshot
from orders.domain.derive import Derived, derive
from orders.domain.facts import OrderFacts, facts_from_json

_ORDERS = """
SELECT o.ref, o.facts::text, o.trade_date, o.state_date, o.ord_status, o.order_qty, o.cum_qty, o.leaves_qty, o.avg_px, o.price, o.stop_px,
       o.cl_ord_id, o.venue_order_id, o.is_open, o.overfilled, o.time_in_force, r.handed
  FROM orders_order o
  LEFT JOIN (SELECT order_id, string_agg(cl_ord_id, ' ' ORDER BY cl_ord_id) AS handed
               FROM orders_orderrequest WHERE handed_over_at IS NOT NULL GROUP BY order_id) r ON r.order_id = o.id
"""
_ALWAYS = ("ord_status", "cum_qty", "avg_px", "overfilled")
_ONCE_HEARD = ("order_qty", "leaves_qty", "is_open", "price", "stop_px", "cl_ord_id", "venue_order_id", "time_in_force")
_OWN_SOURCE = ("order_qty", "cl_ord_id", "venue_order_id")  # kept from the order where the venue has not said it


def differing_facts(snapshot: Snapshot) -> Iterator[Found]:
    """Orders whose columns are not what their facts say, one finding a column."""
    for row in snapshot.stream(_ORDERS):
        yield from _compared(*row)


def _compared(ref: str, text: str, trade_date: date, state_date: date | None, *columns: Any) -> Iterator[Found]:
    facts = facts_from_json(orjson.loads(text))
    names = {request.cl_ord_id for request in facts.requests}
    for name in (columns[-1] or "").split():
        if name not in names:
            yield Found(ref, f"handed over {name}, which its facts do not know")
    derived = derive(facts, business_date=_lived_until(facts, max(trade_date, state_date or trade_date)))
    kept = dict(zip(_COLUMNS, columns, strict=False))
    for name in _ALWAYS + (_ONCE_HEARD if facts.facts else ()):
        said = _word(derived, name)
        if said is None and name in _OWN_SOURCE:
            continue
        if said != kept[name]:
            yield Found(ref, f"{name} is {kept[name]}; its facts say {said}")


_COLUMNS = (
    "ord_status", "order_qty", "cum_qty", "leaves_qty", "avg_px", "price", "stop_px", "cl_ord_id", "venue_order_id",
    "is_open", "overfilled", "time_in_force",
)  # fmt: skip


def _lived_until(facts: OrderFacts, day: date) -> date:
    return max([day, *(date.fromisoformat(fact.trade_date) for fact in facts.facts if fact.trade_date)])


def _word(derived: Derived, name: str) -> str | bool | Decimal | None:
    if name == "ord_status":
        return derived.ord_status.value if derived.ord_status is not None else None
    value: str | bool | Decimal | None = getattr(derived, name)
    return value
