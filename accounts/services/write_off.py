"""Move a difference that two people wrote off from an account to the error account of its desk or firm: zero over both.

The account then says what the bank or broker says; the error account keeps what nobody could explain, until finance takes it
from there. A decision of ours: it never takes more than the account has to trade with.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.domain.ledger import Layer, Posting, needed_rows, post
from accounts.locks import lock_or_open
from accounts.models import Booking, TradingAccount
from accounts.permissions import require_booking_process
from accounts.selectors import find_suspense_account
from accounts.services._write import BOOKING_FIELDS, booking_values, write_posted
from accounts.services.book_executions import overdrawn_anomaly
from authorisation.domain.principal import Principal
from journal.bulk import write_rows
from journal.domain.chain import EventDraft
from journal.domain.records import ANOMALY_CLEARED
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.errors import Conflict, Invalid
from kernel.ids import new_id
from kernel.numbers import ZERO, plain


def write_off(
    *,
    actor: Principal,
    at: datetime,
    business_date: date,
    account_id: UUID,
    currency: str,
    amount: Decimal,
    said: Mapping[str, Any],
) -> UUID:
    """Book ``amount`` (signed) into the account and its opposite into the error account; the event of the account.

    Raises NotPermitted SECOND_PERSON_NEEDED, Invalid WRITE_OFF_INVALID, Conflict ERROR_ACCOUNT_MISSING, WRITE_OFF_UNCOVERED.
    """
    require_booking_process(actor)
    if not amount.is_finite() or not amount or len(currency) != 3:
        raise Invalid("WRITE_OFF_INVALID", "A write-off is an amount of one currency, not zero.")
    desk_id = TradingAccount.objects.values_list("group__desk_id", flat=True).get(id=account_id)
    error_id = find_suspense_account(desk_id)
    if error_id is None or error_id == account_id:
        raise Conflict("ERROR_ACCOUNT_MISSING", "Neither the desk nor the firm has an error account for it.")
    amounts = {account_id: amount, error_id: -amount}
    with transaction.atomic():
        events = {owner: new_id() for owner in sorted(amounts)}
        postings = [Posting(owner, events[owner], Layer.SETTLED, amounts[owner], currency) for owner in events]
        cash, stock = needed_rows(postings, ())
        money = lock_or_open(cash=cash, stock=stock)
        if amount < ZERO and money[account_id].available_cash(currency) + amount < ZERO:
            raise Conflict(
                "WRITE_OFF_UNCOVERED", f"The account has less than {plain(-amount)} {currency} to trade with."
            )
        posted = post(money, postings)
        drafts = [_draft(actor, at, business_date, owner, events, amounts, currency, said) for owner in events]
        drafts += [
            anomaly_draft(
                anomaly=overdrawn_anomaly(one), actor=actor.actor, at=at, kind=kind, business_date=business_date
            )
            for kind, ones in ((ANOMALY_CLEARED, posted.recovered), ("AnomalyRaised", posted.overdrawn))
            for one in ones
        ]
        append_to_stream(drafts=drafts, at=at)
        write_posted(posted)
        rows = [
            booking_values(
                posting, kind=Booking.Kind.WRITE_OFF, trade_date=business_date, settlement_date=business_date, at=at
            )
            for posting in postings
        ]
        write_rows(Booking, rows, fields=BOOKING_FIELDS)
    return events[account_id]


def _draft(
    actor: Principal,
    at: datetime,
    business_date: date,
    owner: UUID,
    events: Mapping[UUID, UUID],
    amounts: Mapping[UUID, Decimal],
    currency: str,
    said: Mapping[str, Any],
) -> EventDraft:
    line = {"currency": currency, "instrument_id": None, "amount": plain(amounts[owner])}
    return EventDraft(
        id=events[owner],
        stream=f"account:{owner}",
        kind="WriteOffBooked",
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=min(events.values()),
        event_at=at,
        received_at=at,
        business_date=business_date,
        payload={
            **said,
            "account_id": str(owner),
            "against": str(next(one for one in events if one != owner)),
            "lines": [line],
        },
    )
