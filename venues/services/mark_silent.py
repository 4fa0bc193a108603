"""Requests handed over and not answered: their fate is unknown, and an inquiry is opened for each.

Silence is not a rejection: a request without an answer stays *unknown* until the venue speaks.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from journal.bulk import insert_rows
from orders.services.mark_unknown import mark_unknown
from venues.models import Inquiry
from venues.selectors.inquiries import list_silent

LIMIT = 500
_FIELDS = (
    "request_id", "order_id", "session_group", "session", "kind", "cl_ord_id", "state", "reason", "attempts",
    "opened_at", "next_at", "outcome",
)  # fmt: skip
_REOPENED = (
    "(request_id) DO UPDATE SET state = 'open', reason = excluded.reason, attempts = 0, opened_at = excluded.opened_at, "
    "next_at = excluded.next_at, review_at = NULL, outcome = '', closed_at = NULL"
)


def mark_silent(*, group: str, older_than: timedelta, sentence: str, at: datetime) -> int:
    """Every request of the group handed over at least ``older_than`` ago and not answered; how many are new.

    In slices of 500, each its own transaction. Safe to repeat.
    """
    opened = 0
    while True:
        with transaction.atomic(durable=True):
            silent = list_silent(group=group, before=at - older_than, limit=LIMIT)
            if not silent:
                return opened
            mark_unknown(request_ids=[s.request_id for s in silent], at=at, sentence=sentence)
            insert_rows(
                Inquiry,
                [
                    (s.request_id, s.order_id, group, s.session, s.kind, s.cl_ord_id, "open", sentence, 0, at, at, "")
                    for s in silent
                ],
                fields=_FIELDS,
                on_conflict=_REOPENED,
            )
        opened += len(silent)
        if len(silent) < LIMIT:
            return opened
