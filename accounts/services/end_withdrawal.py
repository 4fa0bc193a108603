"""A withdrawal comes to nothing: declined, not covered any more, or lapsed."""

from __future__ import annotations

from datetime import datetime

from accounts.domain.ledger import OrderHold
from accounts.services._withdrawing import KIND, Payload, hold_of, withdrawal_event
from accounts.services.set_reservations import set_reservations
from journal.services.append_to_stream import append_to_stream

__all__ = ["KIND", "end_withdrawal"]


def end_withdrawal(payload: Payload, *, why: str, actor: str, at: datetime) -> None:
    """It comes to nothing: what it held is given back, and the account's stream says so. In the caller's transaction."""
    hold = hold_of(payload)
    set_reservations(holds=[OrderHold(hold.order_id, hold.account_id)], at=at)
    append_to_stream(drafts=[withdrawal_event("WithdrawalEnded", {**payload, "why": why}, actor=actor, at=at)], at=at)
