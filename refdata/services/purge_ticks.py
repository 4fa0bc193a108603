"""Forget stored ticks older than they must be kept, in slices; each slice leaves an event with what went and its digest.

Decisions keep the figures they saw with their answers; a tick only shows them once more. The database itself refuses
to delete a tick younger than ``PriceTick.KEPT_AT_LEAST``, and one that a legal hold covers at any age.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings

from authorisation.domain.principal import process_principal
from journal.bulk import one_transaction, raw_cursor
from journal.domain.chain import EventDraft
from journal.selectors.retention import kept_days
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id

SLICE = 20_000
_OLDEST = """SELECT t.id FROM refdata_pricetick t JOIN refdata_listing l ON l.id = t.listing_id
  WHERE t.received_at < %s AND t.id <= %s::uuid AND NOT journal_is_held(t.received_at, l.symbol) ORDER BY t.id LIMIT %s"""
_PURGE = f"""
WITH gone AS (DELETE FROM refdata_pricetick WHERE id IN ({_OLDEST}) RETURNING *)
SELECT count(*), min(received_at), max(received_at), min(id::text), max(id::text),
       encode(sha256(convert_to(string_agg(gone::text, E'\\n' ORDER BY id), 'UTF8')), 'hex')
  FROM gone
"""  # noqa: S608


def purge_ticks(*, at: datetime, older_than_days: int | None = None, limit: int = SLICE) -> int:
    """Delete up to ``limit`` of the oldest ticks received more than ``older_than_days`` ago (never fewer than the days
    that rule, which hold when None). Returns how many went."""
    ruling = kept_days("price_ticks", at=at, default=settings.TICKS_KEPT_DAYS)
    days = ruling if older_than_days is None else older_than_days
    if days < ruling:
        raise ValueError(f"ticks are kept at least {ruling} days")
    before = at - timedelta(days=days)
    with one_transaction():
        with raw_cursor() as cursor:
            cursor.execute(_PURGE.encode(), [before, _newest_id(before), limit])
            row = cursor.fetchone()
        assert row is not None
        count, first, last, first_id, last_id, digest = row
        if not count:
            return 0
        payload = {
            "rows": count,
            "received_from": first.isoformat(),
            "received_until": last.isoformat(),
            "first_tick": first_id,
            "last_tick": last_id,
            "sha256": digest,
            "kept_days": days,
        }
        append_to_stream(drafts=[_event(at, payload)], at=at)
    return int(count)


def _newest_id(before: datetime) -> str:
    """No tick received before that instant has a greater id: ids begin with the milliseconds they were made at."""
    millis = int(before.timestamp()) * 1000 + 999
    return f"{millis >> 16:08x}-{millis & 0xFFFF:04x}-7fff-bfff-ffffffffffff"


def _event(at: datetime, payload: dict[str, object]) -> EventDraft:
    event_id = new_id()
    actor = process_principal("relay")
    return EventDraft(
        id=event_id,
        stream="refdata:price_ticks",
        kind="PriceTicksPurged",
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload=payload,
    )
