"""What asking for a withdrawal, deciding it and its end share.

The authorisation request is the withdrawal: its id names the hold, its state is the withdrawal's.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.ledger import OrderHold
from journal.domain.chain import EventDraft
from kernel.ids import new_id

KIND = "withdrawal"
Payload = Mapping[str, Any]


def hold_of(payload: Payload) -> OrderHold:
    """What the withdrawal holds while it waits."""
    return OrderHold(
        order_id=UUID(payload["withdrawal_id"]),
        account_id=UUID(payload["account_id"]),
        cash_currency=payload["currency"],
        cash=Decimal(payload["amount"]),
    )


def withdrawal_event(kind: str, payload: Payload, *, actor: str, on_behalf_of: str = "", at: datetime) -> EventDraft:
    """An event of the account's stream."""
    return EventDraft(
        id=new_id(),
        stream=f"account:{payload['account_id']}",
        kind=kind,
        actor=actor,
        on_behalf_of=on_behalf_of,
        correlation_id=UUID(payload["withdrawal_id"]),
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload=payload,
    )
