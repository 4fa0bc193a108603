"""Accounts with money in them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.ledger import TradeBooking
from accounts.models import AccountGroup, Client, TradingAccount
from accounts.services.deposit import Deposit, deposit
from accounts.services.open_account import open_account
from accounts.services.record_locate import record_locate
from authorisation.domain.principal import process_principal
from authorisation.models import Desk
from kernel.fix import Side
from kernel.ids import new_id

AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
DAY = date(2026, 11, 20)
SETTLES = date(2026, 11, 24)
SEED = process_principal("seed")
VOD = UUID("0193f0a0-0000-7000-8000-0000000000aa")


def funded_account(code: str = "AC1", *, cash: str = "1000", stock: str = "0", currency: str = "GBP") -> TradingAccount:
    """An account on desk D1 with opening balances in ``currency`` and in VOD."""
    desk, _ = Desk.objects.get_or_create(code="D1", defaults={"name": "Desk one"})
    group, _ = AccountGroup.objects.get_or_create(code="G1", defaults={"name": "Group one", "desk": desk})
    client, _ = Client.objects.get_or_create(code="C1", defaults={"id": new_id(), "name": "Client one"})
    account = open_account(
        actor=SEED, at=AT, business_date=DAY, code=code, name=code, client=client, group=group, base_currency="GBP"
    )
    lines = []
    if Decimal(cash):
        lines.append(Deposit(account.id, Decimal(cash), currency=currency))
    if Decimal(stock):
        lines.append(Deposit(account.id, Decimal(stock), instrument_id=VOD))
    deposit(actor=SEED, at=AT, business_date=DAY, deposits=lines, kind="opening")
    return account


def located(
    account: TradingAccount,
    instrument_id: UUID,
    qty: str = "1000",
    *,
    ref: str = "L1",
    at: datetime = AT,
    lasts: timedelta = timedelta(hours=24),
) -> UUID:
    """A lender's promise, on record."""
    return record_locate(
        actor=SEED,
        at=at,
        account_id=account.id,
        instrument_id=instrument_id,
        ref=ref,
        qty=Decimal(qty),
        lender="Prime broker",
        expires_at=at + lasts,
    )


def booking(account_id: UUID, *, qty: str, cash: str, side: Side = Side.BUY, **changes: Any) -> TradeBooking:
    """A trade in VOD: signed quantity and cash as text."""
    values: dict[str, Any] = {
        "account_id": account_id,
        "order_id": new_id(),
        "execution_id": new_id(),
        "event_id": new_id(),
        "kind": "trade",
        "side": side,
        "instrument_id": VOD,
        "currency": "GBP",
        "qty_delta": Decimal(qty),
        "cash_delta": Decimal(cash),
        "trade_date": DAY,
        "settlement_date": SETTLES,
    }
    return TradeBooking(**{**values, **changes})
