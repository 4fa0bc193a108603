"""Reads of accounts and their balances. What an actor was not granted does not exist for them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from accounts.domain.ledger import AccountMoney, OrderHold
from accounts.locks import money_from_rows
from accounts.models import AllocationPart, CashBalance, Holding, StatementPart, SuspenseAccount, TradingAccount
from authorisation.domain.principal import TRADE_ACCOUNT_GROUP, VIEW_ACCOUNT_GROUP, Principal
from journal.bulk import raw_cursor
from kernel.errors import NotFound

_ACCOUNT = """
SELECT a.id, a.code, a.name, a.client_id, c.code, a.group_id, g.desk_id, a.base_currency, a.state, a.short_allowed,
       a.version
  FROM accounts_tradingaccount a
  JOIN accounts_client c ON c.id = a.client_id
  JOIN accounts_accountgroup g ON g.id = a.group_id
 WHERE a.group_id = ANY(%s::bigint[])
"""
_MONEY = """
SELECT id, account_id, currency, NULL::uuid, settled, pending, reserved, NULL::numeric, overdrawn_by_event
  FROM accounts_cashbalance WHERE account_id = ANY(%s::uuid[])
 UNION ALL
SELECT id, account_id, NULL, instrument_id, settled, pending, reserved, short, overdrawn_by_event
  FROM accounts_holding WHERE account_id = ANY(%s::uuid[])
"""


OVERDRAWN_SQL = """(EXISTS (SELECT FROM accounts_cashbalance ob WHERE ob.account_id = a.id AND ob.overdrawn_by_event IS NOT NULL)
     OR EXISTS (SELECT FROM accounts_holding oh WHERE oh.account_id = a.id AND oh.overdrawn_by_event IS NOT NULL))"""
"""A column for statements over ``accounts_tradingaccount a``: whether a fact left one of its balances below what is held."""


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account as checks and doors need it. ``may_trade``: the actor was granted its group for trading."""

    id: UUID
    code: str
    name: str
    client_id: UUID
    client_code: str
    group_id: int
    desk_id: int
    base_currency: str
    state: str
    short_allowed: bool
    version: int
    may_trade: bool


def visible_group_ids(actor: Principal) -> frozenset[int]:
    """Account groups whose accounts the actor may see: granted for view or for trade."""
    return actor.granted(VIEW_ACCOUNT_GROUP) | actor.granted(TRADE_ACCOUNT_GROUP)


def visible_accounts(actor: Principal) -> QuerySet[TradingAccount]:
    """Accounts the actor may see, as a queryset that other rooms may filter further."""
    return TradingAccount.objects.filter(group_id__in=visible_group_ids(actor))


def list_accounts(actor: Principal, *, search: str = "", limit: int = 500) -> list[AccountFacts]:
    """Accounts the actor may see, by code; ``search`` matches code, name or client code."""
    accounts = visible_accounts(actor).select_related("client", "group")
    if search:
        accounts = accounts.filter(
            Q(code__icontains=search) | Q(name__icontains=search) | Q(client__code__icontains=search)
        )
    may_trade = actor.granted(TRADE_ACCOUNT_GROUP)
    return [
        AccountFacts(
            account.id,
            account.code,
            account.name,
            account.client_id,
            account.client.code,
            account.group_id,
            account.group.desk_id,
            account.base_currency,
            account.state,
            account.short_allowed,
            account.version,
            account.group_id in may_trade,
        )
        for account in accounts.order_by("code")[:limit]
    ]


def find_account_by_code(actor: Principal, code: str) -> AccountFacts | None:
    """The account of that code if the actor may see it, else None. One cheap statement."""
    return _find(actor, " AND a.code = %s", code)


def get_account_by_code(actor: Principal, code: str) -> AccountFacts:
    """As ``find_account_by_code``; raises NotFound ACCOUNT_UNKNOWN."""
    account = find_account_by_code(actor, code)
    if account is None:
        raise NotFound("ACCOUNT_UNKNOWN", f"There is no account {code!r} that you may see.", {"account": code})
    return account


def get_account(actor: Principal, account_id: UUID) -> AccountFacts:
    """The account of that id; raises NotFound ACCOUNT_UNKNOWN when the actor may not see it."""
    account = _find(actor, " AND a.id = %s", account_id)
    if account is None:
        raise NotFound("ACCOUNT_UNKNOWN", "There is no such account that you may see.")
    return account


def _find(actor: Principal, condition: str, value: Any) -> AccountFacts | None:
    groups = sorted(visible_group_ids(actor))
    with raw_cursor() as cursor:
        cursor.execute(_ACCOUNT + condition, [groups, value])
        row = cursor.fetchone()
    return AccountFacts(*(*row, row[5] in actor.granted(TRADE_ACCOUNT_GROUP))) if row else None


def find_suspense_account(desk_id: int | None) -> UUID | None:
    """The suspense account of the desk, else the firm's; None when neither was set up."""
    wanted = SuspenseAccount.objects.filter(Q(desk_id=desk_id) | Q(desk=None))
    return wanted.order_by(F("desk_id").asc(nulls_last=True)).values_list("account_id", flat=True).first()


def list_suspense_accounts() -> list[UUID]:
    """Every account that was set up for what nobody has accepted yet."""
    return list(SuspenseAccount.objects.order_by("account_id").values_list("account_id", flat=True))


def overdrawn_accounts() -> Q:
    """As ``OVERDRAWN_SQL``, to annotate a queryset of accounts with."""
    cash = CashBalance.objects.filter(account=OuterRef("pk"), overdrawn_by_event__isnull=False)
    stock = Holding.objects.filter(account=OuterRef("pk"), overdrawn_by_event__isnull=False)
    return Q(Exists(cash)) | Q(Exists(stock))


def read_money(account_ids: Collection[UUID]) -> dict[UUID, AccountMoney]:
    """Balances without a lock, for previews and pictures. Visibility is the caller's matter."""
    ids = sorted(set(account_ids))
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_MONEY, [ids, ids])
        return money_from_rows(ids, cursor.fetchall())


def cash_and_holdings(actor: Principal, account_id: UUID) -> AccountMoney:
    """The balances of an account the actor may see; raises NotFound ACCOUNT_UNKNOWN."""
    account = get_account(actor, account_id)
    return read_money([account.id])[account.id]


def buying_power(actor: Principal, account_id: UUID, currency: str) -> Decimal:
    """What may still be reserved in a currency: settled and pending less reserved; may be negative after facts."""
    return cash_and_holdings(actor, account_id).available_cash(currency)


def list_holds(order_ids: Collection[UUID]) -> list[OrderHold]:
    """What the orders hold now, without a lock; orders that hold nothing are missing."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT order_id, account_id, cash_currency, cash, instrument_id, stock FROM accounts_reservation "
            "WHERE order_id = ANY(%s::uuid[]) ORDER BY order_id",
            [sorted(set(order_ids))],
        )
        return [OrderHold(*row) for row in cursor.fetchall()]


def list_holds_of_accounts(account_ids: Collection[UUID]) -> list[OrderHold]:
    """What all open orders of the accounts hold now, without a lock."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT order_id, account_id, cash_currency, cash, instrument_id, stock FROM accounts_reservation "
            "WHERE account_id = ANY(%s::uuid[]) ORDER BY order_id",
            [sorted(set(account_ids))],
        )
        return [OrderHold(*row) for row in cursor.fetchall()]


def list_statement_events(account_ids: Collection[UUID]) -> list[UUID]:
    """Events of files that may tell of any of the accounts."""
    if not account_ids:
        return []
    parts = StatementPart.objects.filter(first_account__lte=max(account_ids), last_account__gte=min(account_ids))
    return list(parts.values_list("event_id", flat=True))


def list_allocation_events(account_ids: Collection[UUID]) -> list[UUID]:
    """Events of blocks that may tell of any of the accounts, as who got or who gave."""
    if not account_ids:
        return []
    within = Q(first_account__lte=max(account_ids), last_account__gte=min(account_ids))
    parts = AllocationPart.objects.filter(within | Q(from_account__in=list(account_ids)))
    return list(parts.values_list("event_id", flat=True))
