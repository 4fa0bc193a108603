"""Derives every order again from the sum of the facts about it and compares with the columns people read.

That the sum is what the reports in the journal amount to is shown by rebuilding it: ``./oms replay``, every night as well.

The same pure core that wrote the columns reads the facts; the trading day is the latest the order has lived through: that
of its entry, of its reports (the core sees to those), or the one its status was last derived for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from operations.fsck.check import Found
from operations.fsck.snapshot import Snapshot
from orders.domain.derive import Derived, derive
from orders.domain.facts import OrderFacts, facts_from_json

_COLUMNS = (
    "ord_status", "cum_qty", "avg_px", "overfilled", "leaves_qty", "is_open", "price", "stop_px", "time_in_force",
    "order_qty", "cl_ord_id", "venue_order_id",
)  # fmt: skip
_ALWAYS = 4  # so many of them are the venue's word from the start; the others are ours until it has spoken
_OWN_SOURCE = 9  # from here on a column is kept from the order where the venue has not said it
_ORDERS = f"""
SELECT o.ref, o.facts::text, greatest(o.trade_date, o.state_date), r.handed, {", ".join(f"o.{name}" for name in _COLUMNS)}
  FROM orders_order o
  LEFT JOIN (SELECT order_id, string_agg(cl_ord_id, ' ' ORDER BY cl_ord_id) AS handed
               FROM orders_orderrequest WHERE handed_over_at IS NOT NULL GROUP BY order_id) r ON r.order_id = o.id
"""


def differing_facts(snapshot: Snapshot) -> Iterator[Found]:
    """Orders whose columns are not what their facts say, one finding a column."""
    for ref, text, day, handed, *kept in snapshot.stream(_ORDERS):
        facts = facts_from_json(orjson.loads(text))
        if handed:
            yield from _unknown_requests(ref, handed, facts)
        said = _said(derive(facts, business_date=day))
        upto = len(_COLUMNS) if facts.count else _ALWAYS
        if said[:upto] != kept[:upto]:
            yield from _differences(ref, said[:upto], kept)


def _said(derived: Derived) -> list[Any]:
    """What the facts make of the order, in the order of the columns."""
    status = derived.ord_status
    return [
        None if status is None else status.value, derived.cum_qty, derived.avg_px, derived.overfilled, derived.leaves_qty,
        derived.is_open, derived.price, derived.stop_px, derived.time_in_force, derived.order_qty, derived.cl_ord_id,
        derived.venue_order_id,
    ]  # fmt: skip


def _differences(ref: str, said: Sequence[Any], kept: Sequence[Any]) -> Iterator[Found]:
    for place, (name, there, here) in enumerate(zip(_COLUMNS, said, kept, strict=False)):
        if there != here and not (there is None and place >= _OWN_SOURCE):
            yield Found(ref, f"{name} is {here}; its facts say {there}")


def _unknown_requests(ref: str, handed: str, facts: OrderFacts) -> Iterator[Found]:
    names = {request.cl_ord_id for request in facts.requests}
    for name in handed.split():
        if name not in names:
            yield Found(ref, f"handed over {name}, which its facts do not know")
