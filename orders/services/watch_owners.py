"""Sweeper: open orders of somebody who was cut off are a matter somebody owns until a successor is named.

It also finds what a crash between the cut-off and the giving away left, and what was captured in the very moment of the cut-off.
"""

from __future__ import annotations

from datetime import datetime

from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from orders.selectors.owned import DEDUPE, Gone, find_gone

ACTOR = "process:owners"
OWNER_GONE = "ORDERS_OWNER_GONE"


def watch_owners(*, at: datetime) -> int:
    """Raise and clear one anomaly a person. Returns how many; again at once, none."""
    return sum(set_anomaly(anomaly=_anomaly(one), wrong=one.orders > 0, actor=ACTOR, at=at) for one in find_gone())


def _anomaly(one: Gone) -> Anomaly:
    count = f"{one.orders:,} open order{'' if one.orders == 1 else 's'}"
    wrong = f"{one.username} was cut off and owns {count}. Name a successor under Access."
    settled = f"{one.username} is let in again." if one.is_active else f"{one.username} owns no open orders any more."
    return Anomaly(
        kind=OWNER_GONE,
        severity=Severity.HIGH,
        subject_type="user",
        subject_id=one.username,
        sentence=wrong if one.orders else settled,
        dedupe_key=f"{DEDUPE}{one.user_id}",
        evidence={"user": one.username, "orders": one.orders},
    )
