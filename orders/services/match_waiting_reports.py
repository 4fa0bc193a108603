"""Sweep up kept reports whose order has become known while nobody looked: two consumers raced, or an order was phoned."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from orders.models import UnknownOrder
from orders.selectors.correlation import find_matchable_reports, find_orders_of_reports
from orders.services._booking import book_facts
from orders.services._unmatched import join
from orders.services.apply_reports import apply_reports

ACTOR = "process:match"
SLICE = 500


def match_waiting_reports(*, at: datetime) -> int:
    """Fold those that have an order by now, and let them join it. Returns how many; again at once, none."""
    with transaction.atomic():
        kept = find_matchable_reports(limit=SLICE)
        owners = find_orders_of_reports([one.report for one in kept]).owners if kept else []
        matched = [(one, owner) for one, owner in zip(kept, owners, strict=True) if owner is not None]
        if not matched:
            return 0
        apply_reports(reports=[one.report for one, _ in matched], at=at)
        joined = {one.id: owner.order_id for one, owner in matched}
        book_facts(join(joined, state=UnknownOrder.State.MATCHED, actor=ACTOR, at=at), actor=ACTOR, at=at)
    return len(matched)
