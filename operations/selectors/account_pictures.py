"""Accounts as a positions page shows them: from the picture where it is proven equal, else from the tables."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from accounts.domain.ledger import AccountMoney
from accounts.selectors import list_accounts, read_money
from authorisation.domain.principal import Principal
from kernel.numbers import ZERO, plain
from operations.picture.publishing import read_accounts


@dataclass(frozen=True, slots=True)
class AccountPicture:
    """``cash`` by currency and ``stock`` by instrument: settled, pending, reserved, short, available as decimal text."""

    account_id: UUID
    code: str
    name: str
    cash: dict[str, dict[str, str]]
    stock: dict[str, dict[str, str]]


def list_account_pictures(*, actor: Principal, search: str = "", limit: int = 500) -> tuple[list[AccountPicture], bool]:
    """Accounts the actor may see, by code, and whether they come from the picture (else the tables were read)."""
    accounts = list_accounts(actor, search=search, limit=limit)
    ids = [account.id for account in accounts]
    rows = read_accounts([str(account_id) for account_id in ids])
    live = rows is not None
    found = rows if rows is not None else _from_tables(ids)
    empty: dict[str, Any] = {"cash": {}, "stock": {}}
    pictures = []
    for account in accounts:
        row = found.get(str(account.id), empty)
        pictures.append(AccountPicture(account.id, account.code, account.name, row["cash"], row["stock"]))
    return pictures, live


def _from_tables(account_ids: Collection[UUID]) -> dict[str, dict[str, Any]]:
    return {str(account_id): _row(money) for account_id, money in read_money(account_ids).items()}


def _row(money: AccountMoney) -> dict[str, Any]:
    return {
        "cash": {currency: _balance(row) for currency, row in sorted(money.cash.items())},
        "stock": {str(key): _balance(row) for key, row in sorted(money.holdings.items())},
    }


def _balance(row: Any) -> dict[str, str]:
    return {
        "settled": plain(row.settled),
        "pending": plain(row.pending),
        "reserved": plain(row.reserved),
        "short": plain(getattr(row, "short", ZERO)),
        "available": plain(row.available),
    }
