"""Sweeper: a scope beyond its limit is a matter somebody owns, from when it is until it no longer is.

No order of ours goes beyond a limit; facts do: a fill at another price, a late trade, a lowered limit, a mark that ended.
What is beyond is said with its newest orders, once, and cleared when it is within again. Whether anything is done about it
is a person's decision, or the policy that a lowered limit named (``on_limit_changed``).
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.numbers import plain
from orders.models import Order
from risk.selectors.breaches import Breach, find_breaches, find_told

ACTOR = "process:limits"
LIMIT_BREACHED = "LIMIT_BREACHED"
MOST = 20


def watch_limits(*, at: datetime) -> int:
    """Raise what is beyond and clear what is within again. Returns how many were told; again at once, none."""
    breaches = {breach.key: breach for breach in find_breaches(at=at)}
    told = 0
    for breach in breaches.values():
        told += set_anomaly(anomaly=_anomaly(breach), wrong=True, actor=ACTOR, at=at)
    for key in find_told() - breaches.keys():
        gone = Anomaly(LIMIT_BREACHED, Severity.LOW, "limit", key, "It is within its limit again.", key, {})
        told += set_anomaly(anomaly=gone, wrong=False, actor=ACTOR, at=at)
    return told


def _anomaly(breach: Breach) -> Anomaly:
    refs = Order.objects.filter(id__in=breach.order_ids[:MOST]).order_by("-id").values_list("ref", flat=True)
    return Anomaly(
        kind=LIMIT_BREACHED,
        severity=Severity.HIGH,
        subject_type="limit",
        subject_id=breach.key,
        sentence=f"{breach.what} is {_text(breach.used)}, beyond the limit {_text(breach.hard)}.",
        dedupe_key=breach.key,
        evidence={
            "limit_id": breach.limit_id,
            "used": plain(breach.used),
            "hard": plain(breach.hard),
            "orders": list(refs),
        },
    )


def _text(value: Decimal) -> str:
    return f"{round(value, 2):,f}"
