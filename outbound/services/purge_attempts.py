"""Forget tries older than they must be kept, in slices; each slice leaves an event with what went and its digest.

The events themselves stay in the journal. The database itself refuses to delete a try younger than thirty days.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from authorisation.domain.principal import process_principal
from journal.bulk import one_transaction, raw_cursor
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id

KEPT_DAYS = 90
SLICE = 20_000
_PURGE = """
WITH gone AS (DELETE FROM outbound_deliveryattempt WHERE id IN (
     SELECT id FROM outbound_deliveryattempt WHERE tried_at < %s ORDER BY tried_at, id LIMIT %s) RETURNING *)
SELECT count(*), min(id), max(id), encode(sha256(convert_to(string_agg(gone::text, E'\\n' ORDER BY id), 'UTF8')), 'hex')
  FROM gone
"""


def purge_attempts(*, at: datetime, limit: int = SLICE) -> int:
    """Delete up to ``limit`` of the oldest tries of more than ninety days ago; returns how many went."""
    with one_transaction():
        with raw_cursor() as cursor:
            cursor.execute(_PURGE, [at - timedelta(days=KEPT_DAYS), limit])
            row = cursor.fetchone()
        assert row is not None
        count, first, last, digest = row
        if not count:
            return 0
        event_id, actor = new_id(), process_principal("relay")
        draft = EventDraft(
            id=event_id,
            stream="outbound:attempts",
            kind="DeliveryAttemptsPurged",
            actor=actor.actor,
            correlation_id=event_id,
            event_at=at,
            received_at=at,
            business_date=at.date(),
            payload={"rows": count, "first": first, "last": last, "sha256": digest, "kept_days": KEPT_DAYS},
        )
        append_to_stream(drafts=[draft], at=at)
    return int(count)
