"""Sweeper: a stop whose orders are not all proven over after half a minute is somebody's matter until they are."""

from __future__ import annotations

from datetime import datetime, timedelta

from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from orders.domain.stopping import PROVEN
from orders.models import KillSweep
from orders.selectors.stopping import list_proof_counts

ACTOR = "process:kill-switch"
UNPROVEN = "STOP_NOT_PROVEN"
PATIENCE = timedelta(seconds=30)
LOOKED_AT_FOR = timedelta(days=2)  # released or not: an order that is not proven works on


def tell_unproven(*, at: datetime) -> int:
    """Raise STOP_NOT_PROVEN once a stop, clear it when everything is proven. Returns how many it raised or cleared."""
    due = KillSweep.objects.filter(engaged_at__lte=at - PATIENCE, engaged_at__gt=at - LOOKED_AT_FOR)
    sweeps = {sweep.id: sweep for sweep in due.order_by("engaged_at", "id")[:200]}
    told = 0
    for stop_id, counts in list_proof_counts(sweep_ids=list(sweeps)).items():
        left: dict[str, int] = {}
        for one in counts.counts:
            if one.proof not in PROVEN:
                left[one.session_group or "not routed"] = left.get(one.session_group or "not routed", 0) + one.orders
        where = ", ".join(f"{number} at {group}" for group, number in sorted(left.items()))
        name = sweeps[stop_id].name
        sentence = (
            f"{name} was stopped, and {counts.unproven} of its orders are not proven over ({where}): phone the venue."
        )
        anomaly = Anomaly(
            kind=UNPROVEN,
            severity=Severity.CRITICAL,
            subject_type="stop",
            subject_id=str(stop_id),
            sentence=sentence if counts.unproven else f"Every order of {name} is proven over.",
            dedupe_key=f"kill-unproven:{stop_id}",
            evidence={"unproven": counts.unproven, "by_session_group": left, "page": f"/risk/kill/{stop_id}"},
        )
        told += set_anomaly(anomaly=anomaly, wrong=counts.unproven > 0, actor=ACTOR, at=at)
    return told
