"""Books that add up: an opening booking with its event behind every balance a factory made out of nothing."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import connection

from accounts.domain.ledger import Layer, Posting
from accounts.models import Booking
from accounts.services._write import BOOKING_FIELDS, booking_values
from journal.bulk import write_rows
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from kernel.numbers import plain
from tests.factories import AT

_UNBOOKED = """
SELECT m.account_id, m.currency, m.instrument_id, m.settled - coalesce((
       SELECT sum(amount) FROM accounts_booking b WHERE b.account_id = m.account_id AND b.layer = 'settled'
          AND b.currency = m.currency AND b.instrument_id IS NOT DISTINCT FROM m.instrument_id), 0) AS missing
  FROM (SELECT account_id, currency, NULL::uuid AS instrument_id, settled FROM accounts_cashbalance
         UNION ALL SELECT account_id, '', instrument_id, settled FROM accounts_holding) m
"""


def book_openings(*, at: datetime = AT) -> None:
    """Book what each balance holds more than its bookings explain, as an opening balance."""
    with connection.cursor() as cursor:
        cursor.execute(_UNBOOKED)
        rows = [row for row in cursor.fetchall() if row[3]]
    drafts, bookings = [], []
    for account_id, currency, instrument_id, amount in rows:
        event_id = new_id()
        line = {"currency": currency, "instrument_id": _text(instrument_id), "amount": plain(amount)}
        drafts.append(
            EventDraft(
                id=event_id,
                stream=f"account:{account_id}",
                kind="OpeningBalancesBooked",
                actor="process:seed",
                correlation_id=event_id,
                event_at=at,
                received_at=at,
                business_date=at.date(),
                payload={"account_id": str(account_id), "lines": [line]},
            )
        )
        posting = Posting(account_id, event_id, Layer.SETTLED, amount, currency, instrument_id)
        bookings.append(booking_values(posting, kind="opening", trade_date=at.date(), settlement_date=at.date(), at=at))
    append_to_stream(drafts=drafts, at=at)
    write_rows(Booking, bookings, fields=BOOKING_FIELDS)


def _text(value: UUID | None) -> str | None:
    return str(value) if value is not None else None
