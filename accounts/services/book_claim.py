"""Move cash or stock of accounts for what is claimed between two sides of a trade: market claims, the cost of a buy-in, parts of shares.

The room that follows the claim says what moves where (``lines``); here each account gets one event and its bookings. Money that the
other side owes is pending, money that it paid is settled. What others did is a fact and is booked even where it overdraws.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.ledger import Layer, Posting, needed_rows, post
from accounts.locks import lock_or_open
from accounts.models import Booking
from accounts.permissions import require_booking_process
from accounts.selectors import list_suspense_accounts
from accounts.services._write import BOOKING_FIELDS, booking_values, write_posted
from accounts.services.book_executions import overdrawn_anomaly
from authorisation.domain.principal import Principal
from journal.bulk import one_transaction, write_rows
from journal.domain.chain import EventDraft
from journal.domain.records import ANOMALY_CLEARED, ANOMALY_RAISED
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.errors import Invalid
from kernel.ids import new_id
from kernel.numbers import plain

KIND = "ClaimBooked"


@dataclass(frozen=True, slots=True)
class ClaimLine:
    """An amount, signed, of one account and layer; ``dated`` is the day on which it settles. Of a currency, or of an instrument."""

    account_id: UUID
    layer: Layer
    currency: str
    amount: Decimal
    dated: date
    instrument_id: UUID | None = None

    @property
    def is_sound(self) -> bool:
        """Finite, of a layer that claims move, and of one thing."""
        named = not self.currency if self.instrument_id else len(self.currency) == 3
        return self.amount.is_finite() and named and self.layer is not Layer.SHORT


def book_claim(
    *, actor: Principal, at: datetime, business_date: date, lines: Sequence[ClaimLine], said: Mapping[str, Any]
) -> dict[UUID, UUID]:
    """Book the lines, one event an account, told with ``said``; event ids by account, none where nothing moves.

    Inside the caller's transaction or one of its own. Raises NotPermitted SECOND_PERSON_NEEDED, Invalid CLAIM_INVALID; then nothing
    changed.
    """
    require_booking_process(actor)
    if not all(one.is_sound for one in lines):
        raise Invalid("CLAIM_INVALID", "A claim moves amounts of currencies or of instruments, settled or pending.")
    moved = [one for one in lines if one.amount]
    if not moved:
        return {}
    with one_transaction():
        events = {account_id: new_id() for account_id in sorted({one.account_id for one in moved})}
        postings = [
            Posting(one.account_id, events[one.account_id], one.layer, one.amount, one.currency, one.instrument_id)
            for one in moved
        ]
        cash, stock = needed_rows(postings, ())
        posted = post(lock_or_open(cash=cash, stock=stock), postings)
        drafts = [_draft(actor, at, business_date, key, events, moved, said) for key in events]
        suspense = set(list_suspense_accounts()) if posted.overdrawn else set()
        drafts += [
            anomaly_draft(
                anomaly=overdrawn_anomaly(one), actor=actor.actor, at=at, kind=kind, business_date=business_date
            )
            for kind, ones in ((ANOMALY_CLEARED, posted.recovered), (ANOMALY_RAISED, posted.overdrawn))
            for one in ones
            if one.account_id not in suspense
        ]
        append_to_stream(drafts=drafts, at=at)
        write_posted(posted)
        rows = [
            booking_values(
                posting, kind=Booking.Kind.CLAIM, trade_date=business_date, settlement_date=line.dated, at=at
            )
            for posting, line in zip(postings, moved, strict=True)
        ]
        write_rows(Booking, rows, fields=BOOKING_FIELDS)
    return events


def _draft(
    actor: Principal,
    at: datetime,
    business_date: date,
    owner: UUID,
    events: Mapping[UUID, UUID],
    lines: Sequence[ClaimLine],
    said: Mapping[str, Any],
) -> EventDraft:
    return EventDraft(
        id=events[owner],
        stream=f"account:{owner}",
        kind=KIND,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=min(events.values()),
        event_at=at,
        received_at=at,
        business_date=business_date,
        payload={
            **said,
            "account_id": str(owner),
            "lines": [
                {
                    "layer": one.layer.value,
                    "currency": one.currency,
                    "instrument_id": str(one.instrument_id) if one.instrument_id else None,
                    "settlement_date": one.dated.isoformat(),
                    "amount": plain(one.amount),
                }
                for one in lines
                if one.account_id == owner
            ],
        },
    )
