"""Book what venues reported, and say which accounts it left overdrawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from accounts.domain.ledger import OrderHold, TradeBooking
from accounts.selectors import list_suspense_accounts
from accounts.services.book_executions import book_executions
from journal.domain.records import ANOMALY_CLEARED, ANOMALY_RAISED
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft


def book_facts(bookings: Sequence[TradeBooking], *, holds: Sequence[OrderHold] = (), actor: str, at: datetime) -> None:
    """As one change, inside the caller's transaction.

    A suspense account has no money of its own: that it is overdrawn is no news beside the matter that put the trade there.
    """
    if not bookings and not holds:
        return
    booked = book_executions(bookings=bookings, at=at, holds=holds)
    if not booked.raised and not booked.cleared:
        return
    suspense = {str(account_id) for account_id in list_suspense_accounts()}
    drafts = [
        anomaly_draft(anomaly=item, actor=actor, at=at, kind=kind)
        for items, kind in ((booked.raised, ANOMALY_RAISED), (booked.cleared, ANOMALY_CLEARED))
        for item in items
        if item.subject_id not in suspense
    ]
    append_to_stream(drafts=drafts, at=at)
