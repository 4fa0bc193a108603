"""How changed balances, holds and bookings reach their tables; shared by the services of this room."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from accounts.domain.ledger import OrderHold, Posted, Posting
from accounts.models import CashBalance, Holding, Reservation
from journal.bulk import insert_rows, raw_cursor, update_rows
from kernel.errors import InvariantBroken

BOOKING_FIELDS = (
    "account_id",
    "event_id",
    "order_id",
    "execution_id",
    "kind",
    "charge",
    "layer",
    "currency",
    "instrument_id",
    "amount",
    "trade_date",
    "settlement_date",
    "recorded_at",
)
_HOLD_FIELDS = ("order_id", "account_id", "cash_currency", "cash", "instrument_id", "stock", "updated_at")
_UPSERT = (
    "(order_id) DO UPDATE SET cash_currency = excluded.cash_currency, cash = excluded.cash, "
    "instrument_id = excluded.instrument_id, stock = excluded.stock, updated_at = excluded.updated_at"
)


def booking_values(
    posting: Posting,
    *,
    kind: str,
    trade_date: date,
    settlement_date: date,
    at: datetime,
    order_id: UUID | None = None,
    execution_id: UUID | None = None,
) -> tuple[Any, ...]:
    """A posting as a row of ``BOOKING_FIELDS``."""
    return (
        posting.account_id,
        posting.event_id,
        order_id,
        execution_id,
        posting.kind or kind,
        posting.charge,
        posting.layer.value,
        posting.currency,
        posting.instrument_id,
        posting.amount,
        trade_date,
        settlement_date,
        at,
    )


def write_posted(posted: Posted) -> None:
    """Store the changed balances. Their rows are locked, so each must be met exactly once."""
    cash = [(r.id, r.settled, r.pending, r.reserved, r.overdrawn_by_event) for r in posted.cash]
    stock = [(r.id, r.settled, r.pending, r.reserved, r.short, r.overdrawn_by_event) for r in posted.holdings]
    written = update_rows(
        CashBalance, cash, key=("id",), fields=("settled", "pending", "reserved", "overdrawn_by_event")
    ) + update_rows(
        Holding, stock, key=("id",), fields=("settled", "pending", "reserved", "short", "overdrawn_by_event")
    )
    if written != len(cash) + len(stock):
        raise InvariantBroken("BALANCE_LOST", "A locked balance row was not there to be written.")


def write_holds(changes: Sequence[tuple[OrderHold | None, OrderHold]], *, at: datetime) -> None:
    """Store what the orders hold now; an empty hold has no row."""
    kept = [
        (new.order_id, new.account_id, new.cash_currency, new.cash, new.instrument_id, new.stock, at)
        for old, new in changes
        if not new.is_empty and (old is None or not _same(old, new))
    ]
    insert_rows(Reservation, kept, fields=_HOLD_FIELDS, on_conflict=_UPSERT)
    gone = [new.order_id for old, new in changes if old is not None and new.is_empty]
    if gone:
        with raw_cursor() as cursor:
            cursor.execute("DELETE FROM accounts_reservation WHERE order_id = ANY(%s::uuid[])", [gone])


def _same(old: OrderHold, new: OrderHold) -> bool:
    return (old.cash_currency, old.cash, old.instrument_id, old.stock) == (
        new.cash_currency,
        new.cash,
        new.instrument_id,
        new.stock,
    )
