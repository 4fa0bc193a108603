"""Put cash or stock into accounts: opening balances and deposits, settled at once, each booking naming its event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.domain.ledger import Layer, Posting, needed_rows, post
from accounts.locks import lock_or_open
from accounts.models import Booking
from accounts.permissions import require_booking_process
from accounts.services._write import BOOKING_FIELDS, booking_values, write_posted
from accounts.services.book_executions import overdrawn_anomaly
from authorisation.domain.principal import Principal
from journal.bulk import write_rows
from journal.domain.chain import EventDraft
from journal.domain.records import ANOMALY_CLEARED
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from kernel.errors import Invalid
from kernel.ids import new_id
from kernel.numbers import plain

KINDS = {"opening": "OpeningBalancesBooked", "deposit": "DepositBooked"}


@dataclass(frozen=True, slots=True)
class Deposit:
    """An amount of a currency (ISO 4217), or units of an instrument, for one account. Positive.

    ``cost`` is what units that are brought in had cost, in all, in ``cost_currency``; None when nobody knows.
    """

    account_id: UUID
    amount: Decimal
    currency: str = ""
    instrument_id: UUID | None = None
    cost: Decimal | None = None
    cost_currency: str = ""


def deposit(
    *,
    actor: Principal,
    at: datetime,
    business_date: date,
    deposits: Sequence[Deposit],
    kind: str = "deposit",
    said: Mapping[str, Any] | None = None,
) -> dict[UUID, UUID]:
    """Book the deposits in the settled layer, one event an account; returns event ids by account.

    ``kind`` is deposit or opening; ``said`` is told with it: who asked, who approved. For our own processes: a person asks
    for a booking. Raises NotPermitted SECOND_PERSON_NEEDED, Invalid DEPOSIT_INVALID; then nothing changed.
    """
    require_booking_process(actor)
    for item in deposits:
        if not item.amount.is_finite() or item.amount <= 0 or bool(item.currency) == (item.instrument_id is not None):
            sentence = "A deposit is a positive amount of one currency or one instrument."
            raise Invalid("DEPOSIT_INVALID", sentence, {"amount": [sentence]})
        _require_cost(item)
    with transaction.atomic():
        event_ids = {account_id: new_id() for account_id in sorted({item.account_id for item in deposits})}
        postings = [
            Posting(
                item.account_id,
                event_ids[item.account_id],
                Layer.SETTLED,
                item.amount,
                item.currency,
                item.instrument_id,
            )
            for item in deposits
        ]
        cash, stock = needed_rows(postings, ())
        money = lock_or_open(cash=cash, stock=stock)

        posted = post(money, postings)

        drafts = [
            _draft(actor, at, business_date, kind, event_ids[key], key, deposits, said or {}) for key in event_ids
        ]
        # Money that covers an overdrawn balance settles the matter.
        covered = [overdrawn_anomaly(shortfall) for shortfall in posted.recovered]
        drafts += [
            anomaly_draft(anomaly=item, actor=actor.actor, at=at, kind=ANOMALY_CLEARED, business_date=business_date)
            for item in covered
        ]
        append_to_stream(drafts=drafts, at=at)
        write_posted(posted)
        rows = [
            booking_values(posting, kind=kind, trade_date=business_date, settlement_date=business_date, at=at)
            for posting in postings
        ]
        write_rows(Booking, rows, fields=BOOKING_FIELDS)
        return event_ids


def _draft(
    actor: Principal,
    at: datetime,
    business_date: date,
    kind: str,
    event_id: UUID,
    account_id: UUID,
    deposits: Sequence[Deposit],
    said: Mapping[str, Any],
) -> EventDraft:
    lines = [_line(item) for item in deposits if item.account_id == account_id]
    return EventDraft(
        id=event_id,
        stream=f"account:{account_id}",
        kind=KINDS[kind],
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=business_date,
        payload={**said, "account_id": str(account_id), "lines": lines},
    )


def _require_cost(item: Deposit) -> None:
    """Only units have a cost, and it is an amount of one currency."""
    if item.cost is None and not item.cost_currency:
        return
    whole = item.cost is not None and item.cost.is_finite() and item.cost >= 0 and len(item.cost_currency) == 3
    if not whole or item.instrument_id is None:
        sentence = "What units cost is an amount of one currency, not below zero."
        raise Invalid("DEPOSIT_INVALID", sentence, {"cost": [sentence]})


def _line(item: Deposit) -> dict[str, str | None]:
    line = {
        "currency": item.currency,
        "instrument_id": str(item.instrument_id) if item.instrument_id else None,
        "amount": plain(item.amount),
    }
    if item.cost is not None:
        line |= {"cost": plain(item.cost), "cost_currency": item.cost_currency}
    return line
