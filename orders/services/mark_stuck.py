"""Tell a person of what stands still for longer than its state allows, and that it moved once it has."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from journal.bulk import insert_rows
from journal.domain.records import ANOMALY_CLEARED, Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from orders.domain.patience import BOUNDS, Bound, in_words
from orders.models import StuckMark
from orders.selectors.standing import Moved, StandingStill, find_moved_on, find_standing_still

ACTOR = "process:patience"
STUCK_ORDER = "STUCK_ORDER"
SLICE = 500


def mark_stuck(*, at: datetime) -> int:
    """Raise STUCK_ORDER for what is over its bound, clear it for what moved. Returns how many it raised. Idempotent."""
    with transaction.atomic():
        _clear(find_moved_on(limit=SLICE), at)
    told = 0
    for bound in BOUNDS:
        with transaction.atomic():
            still = find_standing_still(
                state=bound.state, at_venue=bound.at_venue, before=at - bound.longest, limit=SLICE
            )
            # Two sweepers at once: who writes the mark tells of it.
            written = insert_rows(
                StuckMark,
                [(item.order_id, item.cl_ord_id, item.state, item.since, at) for item in still],
                fields=("order_id", "cl_ord_id", "state", "since", "told_at"),
                on_conflict="DO NOTHING",
                returning=("order_id", "cl_ord_id"),
            )
            mine = {(row[0], row[1]) for row in written}
            news = [item for item in still if (item.order_id, item.cl_ord_id) in mine]
            drafts = [anomaly_draft(anomaly=_stuck(item, bound), actor=ACTOR, at=at) for item in news]
            append_to_stream(drafts=drafts, at=at)
            told += len(news)
    return told


def _stuck(item: StandingStill, bound: Bound) -> Anomaly:
    what = "The order" if bound.at_venue else f"Its {item.kind} {item.cl_ord_id}"
    return Anomaly(
        kind=STUCK_ORDER,
        severity=bound.severity,
        subject_type="order",
        subject_id=str(item.order_id),
        sentence=f"{item.ref}: {what} has waited for {bound.who} for more than {in_words(bound.longest)}.",
        dedupe_key=_key(item.order_id, item.cl_ord_id, item.state),
        evidence={"ref": item.ref, "state": item.state, "since": item.since.isoformat(), "cl_ord_id": item.cl_ord_id},
    )


def _clear(moved: list[Moved], at: datetime) -> None:
    if not moved:
        return
    StuckMark.objects.filter(id__in=[item.mark_id for item in moved]).update(moved_at=at)
    drafts = [
        anomaly_draft(
            anomaly=Anomaly(
                kind=STUCK_ORDER,
                severity=Severity.LOW,
                subject_type="order",
                subject_id=str(item.order_id),
                sentence=f"{item.ref}: it has moved on.",
                dedupe_key=_key(item.order_id, item.cl_ord_id, item.state),
                evidence={"ref": item.ref, "state": item.state},
            ),
            actor=ACTOR,
            at=at,
            kind=ANOMALY_CLEARED,
        )
        for item in moved
    ]
    append_to_stream(drafts=drafts, at=at)


def _key(order_id: object, cl_ord_id: str, state: str) -> str:
    return f"order:{order_id}:STUCK:{cl_ord_id or 'order'}:{state}"
