"""Which handed-over requests have no answer, and the status requests (35=H) that ask for their fate.

Silence is not a rejection: a request without an answer becomes *unknown* and stays so until the venue speaks.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from orders.services.mark_unknown import mark_unknown
from venues.adapters.base import Adapter
from venues.domain.messages import IntentKind, OutboundIntent, terms_from_message
from venues.selectors import Unanswered, list_unanswered

LIMIT = 500


def mark_silent(*, group: str, older_than: timedelta, sentence: str, at: datetime) -> tuple[Unanswered, ...]:
    """Mark every request of the group handed over at least ``older_than`` ago and not answered as unknown.

    Returns all that are unknown now, oldest first, at most 500. Safe to repeat.
    """
    silent = list_unanswered(group=group, before=at - older_than, limit=LIMIT)
    for request in silent:
        if request.state == "handed_over":
            mark_unknown(request_id=request.request_id, at=at, sentence=sentence)
    return silent


def status_requests(
    *, silent: Collection[Unanswered], adapter: Adapter, at: datetime
) -> list[tuple[UUID, tuple[tuple[int, str], ...]]]:
    """(request id, fields of its question) under the ClOrdID that is asked for; empty if the venue takes none."""
    if not adapter.capabilities.order_status_request:
        return []
    questions = []
    for request in silent:
        intent = OutboundIntent(
            kind=IntentKind.STATUS,
            cl_ord_id=request.cl_ord_id,
            orig_cl_ord_id="",
            venue_order_id="",
            terms=terms_from_message(request.message),
            transact_time=at,
        )
        questions.append((request.request_id, adapter.map_outbound(intent)))
    return questions
