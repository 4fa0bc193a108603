"""The venue has spoken: inquiries about answered requests are closed, and the person who was told hears of it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from journal.bulk import raw_cursor
from journal.domain.records import ANOMALY_CLEARED
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from venues.services.record_asked import ACTOR, review_anomaly

_CLOSE = """
UPDATE venues_inquiry q SET state = 'closed', outcome = r.state, closed_at = %s
  FROM orders_orderrequest r, orders_order o, venues_fixsession s, venues_venue v
 WHERE q.state = 'open' AND q.session_group = %s AND r.id = q.request_id AND o.id = q.order_id
   AND r.state NOT IN ('handed_over', 'unknown') AND s.name = q.session AND v.code = s.venue_id
RETURNING q.order_id, q.request_id, q.cl_ord_id, o.ref, v.name, v.phone, r.state, q.review_at IS NOT NULL
"""


def close_inquiries(*, group: str, at: datetime) -> int:
    """How many were closed; one transaction."""
    with transaction.atomic():
        with raw_cursor() as cursor:
            cursor.execute(_CLOSE, [at, group])
            closed = cursor.fetchall()
        drafts = [
            anomaly_draft(
                anomaly=review_anomaly(
                    order_id=order_id,
                    request_id=request_id,
                    cl_ord_id=cl_ord_id,
                    sentence=f"{ref}: {name} has answered for {cl_ord_id}: {state}.",
                    phone=phone,
                ),
                actor=ACTOR,
                at=at,
                kind=ANOMALY_CLEARED,
            )
            for order_id, request_id, cl_ord_id, ref, name, phone, state, reviewed in closed
            if reviewed
        ]
        append_to_stream(drafts=drafts, at=at)
    return len(closed)
