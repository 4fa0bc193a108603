"""Balances under lock: cash rows by account and key, then holdings, ``FOR NO KEY UPDATE``, always ascending.

Every account has at least one cash row (its base currency, from its opening), so locking the cash rows of an
account also serialises what is done to its stock.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from operator import attrgetter
from typing import Any
from uuid import UUID

from accounts.domain.ledger import AccountMoney, CashRow, HoldingRow, OrderHold
from accounts.models import CashBalance, Holding, TradingAccount
from journal.bulk import insert_rows, raw_cursor
from journal.domain.idempotency import lock_number
from journal.domain.pg_text import array_literal

_LOCK_MONEY = """
WITH cash AS (
     SELECT id, account_id, currency, settled, pending, reserved, overdrawn_by_event
       FROM accounts_cashbalance WHERE account_id = ANY(%s::uuid[])
      ORDER BY account_id, id FOR NO KEY UPDATE
), stock AS (
     SELECT id, account_id, instrument_id, settled, pending, reserved, short, overdrawn_by_event
       FROM accounts_holding WHERE account_id = ANY(%s::uuid[]) {instruments}
      ORDER BY account_id, id FOR NO KEY UPDATE
)
SELECT id, account_id, currency, NULL::uuid, settled, pending, reserved, NULL::numeric, overdrawn_by_event FROM cash
UNION ALL
SELECT id, account_id, NULL, instrument_id, settled, pending, reserved, short, overdrawn_by_event FROM stock
"""
_LOCK_ALL = _LOCK_MONEY.format(instruments="")
_LOCK_SOME = _LOCK_MONEY.format(instruments="AND instrument_id = ANY(%s::uuid[])")

_LOCK_CASH_MOVED = """
SELECT count(*) FROM (SELECT id FROM accounts_cashbalance WHERE account_id IN (SELECT account_id FROM accounts_move)
                       ORDER BY account_id, id FOR NO KEY UPDATE) locked
"""
_CHANGING = """
SELECT a.id FROM accounts_loaded l JOIN accounts_tradingaccount a ON a.id = l.account_id
 WHERE (l.name, l.group_id, l.state, l.account_class, l.short_allowed)
       IS DISTINCT FROM (a.name, a.group_id, a.state, a.account_class, a.short_allowed)
"""
_LOCK_CASH_LOADED = f"""
SELECT count(*) FROM (SELECT id FROM accounts_cashbalance WHERE account_id IN ({_CHANGING})
                       ORDER BY account_id, id FOR NO KEY UPDATE) locked
"""  # noqa: S608
_LOCK_LOADED = f"""
SELECT count(*) FROM (SELECT id FROM accounts_tradingaccount WHERE id IN ({_CHANGING})
                       ORDER BY id FOR NO KEY UPDATE) locked
"""  # noqa: S608
_LOCK_MOVED = """
SELECT count(*) FROM (SELECT id FROM {table} WHERE id IN (SELECT balance_id FROM accounts_move)
                       ORDER BY account_id, id FOR NO KEY UPDATE) locked
"""

# Suspense accounts last, as bookings of executions take them: after everybody's own.
_LOCK_ALLOCATED = """
WITH wanted AS (
     SELECT a AS account_id, EXISTS (SELECT FROM accounts_suspenseaccount s WHERE s.account_id = a) AS last
       FROM unnest(%(accounts)s::uuid[]) a
), cash AS (
     SELECT b.id FROM wanted w JOIN accounts_cashbalance b ON b.account_id = w.account_id
      ORDER BY w.last, b.account_id, b.id FOR NO KEY UPDATE OF b
)
SELECT count(*) FROM cash
"""
_LOCK_ALLOCATED_STOCK = """
SELECT count(*) FROM (SELECT id FROM accounts_holding
                       WHERE account_id = ANY(%(accounts)s::uuid[]) AND instrument_id = %(instrument)s
                       ORDER BY account_id, id FOR NO KEY UPDATE) locked
"""


def lock_allocated(*, account_ids: Collection[UUID], instrument_id: UUID) -> None:
    """The balances that a block of the instrument moves, until commit.

    All cash of the accounts, so that nothing else of theirs is decided meanwhile and nobody else opens a balance of theirs, then their
    holdings of the instrument. What an account never had is opened by who moves it.
    """
    values = {
        "accounts": array_literal("uuid", sorted(set(account_ids), key=attrgetter("int"))),
        "instrument": instrument_id,
    }
    with raw_cursor() as cursor:
        cursor.execute(_LOCK_ALLOCATED, values)
        cursor.execute(_LOCK_ALLOCATED_STOCK, values)


def lock_money(
    *, account_ids: Collection[UUID], instrument_ids: Collection[UUID] | None = None
) -> dict[UUID, AccountMoney]:
    """All cash of the accounts and their holdings (of ``instrument_ids`` when given), locked until commit.

    One statement; creates nothing. An account without rows is an empty AccountMoney.
    """
    ids = sorted(set(account_ids))
    values: list[Any] = [ids, ids]
    sql = _LOCK_ALL
    if instrument_ids is not None:
        sql = _LOCK_SOME
        values.append(sorted(set(instrument_ids)))
    with raw_cursor(binary=True) as cursor:
        cursor.execute(sql, values)
        return money_from_rows(ids, cursor.fetchall())


def lock_statements(what: str) -> None:
    """Nobody else weighs or books statements of the kind until commit; taken before any balance."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"accounts.statement:{what}"])


def lock_moved(table: str) -> None:
    """The cash rows of all accounts that a statement changes (``accounts_move``), then its balances, until commit."""
    with raw_cursor() as cursor:
        _lock_many(cursor)
        cursor.execute(_LOCK_CASH_MOVED)
        cursor.execute(_LOCK_MOVED.format(table=table))


def lock_loaded() -> None:
    """The accounts that a file tells of (``accounts_loaded``), behind their cash, until commit."""
    with raw_cursor() as cursor:
        _lock_many(cursor)
        cursor.execute(_LOCK_CASH_LOADED)
        cursor.execute(_LOCK_LOADED)


def _lock_many(cursor: Any) -> None:
    """One at a time locks the rows of a whole file. They would wait for each other at the first row that both change; whoever
    waited there would look every later one up once more, with all that the query joins."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('accounts.file', 0))")


def lock_account(account_id: UUID) -> TradingAccount:
    """The account's own row, behind its cash: so that no order of it is judged while its state changes."""
    lock_money(account_ids=[account_id], instrument_ids=())
    return TradingAccount.objects.select_for_update(no_key=True).get(pk=account_id)


def money_from_rows(account_ids: Iterable[UUID], rows: Iterable[tuple[Any, ...]]) -> dict[UUID, AccountMoney]:
    """Rows (id, account, currency, instrument, settled, pending, reserved, short, overdrawn) by account."""
    cash: dict[UUID, dict[str, CashRow]] = {account_id: {} for account_id in account_ids}
    stock: dict[UUID, dict[UUID, HoldingRow]] = {account_id: {} for account_id in cash}
    for key, account_id, currency, instrument_id, settled, pending, reserved, short, overdrawn in rows:
        if currency is not None:
            cash[account_id][currency] = CashRow(key, account_id, currency, settled, pending, reserved, overdrawn)
        else:
            stock[account_id][instrument_id] = HoldingRow(
                key, account_id, instrument_id, settled, pending, reserved, short, overdrawn
            )
    return {account_id: AccountMoney(account_id, cash[account_id], stock[account_id]) for account_id in cash}


def lock_or_open(
    *,
    cash: Collection[tuple[UUID, str]],
    stock: Collection[tuple[UUID, UUID]],
    account_ids: Collection[UUID] = (),
) -> dict[UUID, AccountMoney]:
    """As ``lock_money``, and every named (account, currency) and (account, instrument) exists, at zero if new."""
    accounts = {account_id for account_id, _ in cash} | {account_id for account_id, _ in stock} | set(account_ids)
    instruments = {instrument_id for _, instrument_id in stock}
    money = lock_money(account_ids=accounts, instrument_ids=instruments)
    no_cash = sorted(pair for pair in cash if pair[1] not in money[pair[0]].cash)
    no_stock = sorted(pair for pair in stock if pair[1] not in money[pair[0]].holdings)
    if not no_cash and not no_stock:
        return money
    insert_rows(
        CashBalance,
        [(account_id, currency, 0, 0, 0) for account_id, currency in no_cash],
        fields=("account_id", "currency", "settled", "pending", "reserved"),
        on_conflict="DO NOTHING",
    )
    insert_rows(
        Holding,
        [(account_id, instrument_id, 0, 0, 0, 0) for account_id, instrument_id in no_stock],
        fields=("account_id", "instrument_id", "settled", "pending", "reserved", "short"),
        on_conflict="DO NOTHING",
    )
    return lock_money(account_ids=accounts, instrument_ids=instruments)


def lock_closing(market: str) -> None:
    """Be the only one that closes days of the market, until commit."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number("closing", market)])


def lock_holds(order_ids: Collection[UUID]) -> dict[UUID, OrderHold]:
    """What the orders hold now, locked until commit. The accounts' balances must be locked before."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(
            "SELECT order_id, account_id, cash_currency, cash, instrument_id, stock FROM accounts_reservation "
            "WHERE order_id = ANY(%s::uuid[]) ORDER BY order_id FOR NO KEY UPDATE",
            [sorted(set(order_ids))],
        )
        return {row[0]: OrderHold(*row) for row in cursor.fetchall()}
