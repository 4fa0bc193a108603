"""The booking half of ``allocate``: a block is booked to so many accounts, against COPY of the rows that are there afterwards.

Data: one executed block of the firm's account; every client has cash and no holding of the stock, and pays London's commission, duty
and levy. Timed: ``book_allocation`` from its call to its commit, with everything it does (plan, locks, checks of every account,
charges, balances, bookings, events, rows). The floor copies the same rows (allocations, bookings, balances, events), as text made
before the clock starts, into empty twins of the tables with all their indexes and constraints, in one durable transaction.
``again``: the block's executions have changed, everything is reversed and booked anew. Verified: lines are the block, the firm's
account is flat, nothing of the first round is left after the second.
"""

from __future__ import annotations

import time
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.domain.ledger import TradeBooking
from accounts.models import CashBalance, Holding, TradingAccount
from accounts.services.book_executions import book_executions
from allocations.models import Allocation, Block, BlockFill, WashAccount
from allocations.services.book_allocation import book_allocation
from allocations.services.rebook_allocation import rebook_allocation
from allocations.services.save_scheme import save_scheme
from authorisation.domain.principal import process_principal
from journal.bulk import raw_cursor
from kernel.clock import utc_now
from kernel.fix import Side
from kernel.ids import new_id
from kernel.numbers import round_money
from refdata.selectors import get_market_clock
from tests.factories import DeskWorld, charge_as_published, make_desk
from tests.factories.allocations import make_clients, make_wash_account

HOUSE = process_principal("allocations")
EACH = Decimal(137)
PX = Decimal("72.4437")
_ROWS = {
    "journal_event": "stream LIKE 'block:%%' AND recorded_at >= %s",
    "allocations_allocation": "booked_at >= %s",
    "accounts_booking": "recorded_at >= %s AND kind <> 'trade'",
    "accounts_cashbalance": "account_id IN (SELECT account_id FROM accounts_booking WHERE recorded_at >= %s AND kind = 'allocation')",
    "accounts_holding": "account_id IN (SELECT account_id FROM accounts_booking WHERE recorded_at >= %s AND kind = 'allocation')",
}


def booking_figures(accounts: int) -> dict[str, Any]:
    """Seconds and ratios of booking a block to so many accounts, and of booking it anew."""
    world = make_desk()
    charge_as_published()
    wash = make_wash_account(world, "WASH")
    TradingAccount.objects.filter(pk=wash.account_id).update(account_class="block")
    lines = clients_of(world, accounts)
    default_scheme(wash, lines)
    block = block_of(world, wash, accounts)
    since = utc_now()
    first = _timed(lambda: book(block, lines, since))
    _prove(block, accounts)
    floor = _floor(since)
    _change(block)
    again = _timed(lambda: rebook_allocation(actor=HOUSE, at=utc_now(), block_id=block.id, why="corrected"))
    _prove(block, accounts)
    return {
        "booked_s": round(first, 4),
        "floor_s": round(floor, 4),
        "booking_ratio": round(floor / first, 4),
        "again_s": round(again, 4),
        "a_second": round(accounts / first, 1),
    }


def clients_of(world: DeskWorld, count: int) -> list[dict[str, str]]:
    """So many accounts with money, as lines by weight."""
    made = make_clients(world, "B", count)
    with raw_cursor() as cursor:
        cursor.execute("ANALYZE accounts_tradingaccount, accounts_cashbalance")
    return [{"account": code, "weight": str(3 + number % 7)} for number, (_, code) in enumerate(made)]


def default_scheme(wash: WashAccount, lines: list[dict[str, str]]) -> None:
    """What blocks of the account are booked by when nobody says otherwise."""
    body = {
        "code": "ALL", "name": "all", "desk": "", "method": "weights", "lines": lines, "parameters": {},
        "wash_account": wash.account.code, "strategy": "", "books_alone": True, "ended": False,
    }  # fmt: skip
    save_scheme(actor=HOUSE, at=utc_now(), body=body, request_id=None)


def block_of(world: DeskWorld, wash: WashAccount, accounts: int) -> Block:
    """One executed block of the firm's account, booked there."""
    at, listing = utc_now(), world.listing
    clock = get_market_clock(listing.market_id)
    day = clock.business_date(at)
    qty = EACH * accounts
    cash = -round_money(qty * PX / listing.price_divisor, listing.currency)
    block = Block.objects.create(
        id=new_id(), number=1, key="w:bench", kind="block", account=wash.account, desk=world.desk, listing=listing,
        instrument_id=listing.instrument_id, side="1", currency=listing.currency, price_divisor=listing.price_divisor,
        trade_date=day, settlement_date=clock.settlement_date(day), qty=qty, notional=qty * PX, avg_px=PX, cash=cash, fills=1,
        state="ready", created_at=at, updated_at=at,
    )  # fmt: skip
    BlockFill.objects.create(
        execution_id=new_id(),
        block=block,
        order_id=new_id(),
        qty=qty,
        px=PX,
        cash=cash,
        event_id=new_id(),
        updated_at=at,
    )
    CashBalance.objects.filter(account=wash.account).update(settled=10**9)
    _trade(block, qty, cash, at)
    return block


def move_at_firm(block: Block, qty: Decimal, cash: Decimal) -> None:
    """What an execution of the block moves in its account."""
    _trade(block, qty, cash, utc_now())


def _trade(block: Block, qty: Decimal, cash: Decimal, at: datetime) -> None:
    booking = TradeBooking(
        block.account_id, new_id(), new_id(), new_id(), "trade", Side.BUY, block.instrument_id, block.currency, qty, cash,
        block.trade_date, block.settlement_date,
    )  # fmt: skip
    book_executions(bookings=[booking], at=at)


def _change(block: Block) -> None:
    """One unit was executed at another price."""
    block.refresh_from_db()
    block.cash -= Decimal("0.01")
    block.notional += block.price_divisor * Decimal("0.01")
    block.change()
    block.save()
    _trade(block, Decimal(0), Decimal("-0.01"), utc_now())


def book(block: Block, lines: list[dict[str, str]], at: datetime) -> None:
    """As said beforehand, by the house."""
    book_allocation(
        actor=HOUSE, at=at, idempotency_key="bench", block_ref=block.ref, method="weights", scheme="ALL", lines=lines
    )


def _timed(act: Any) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def _prove(block: Block, accounts: int) -> None:
    block.refresh_from_db()
    standing = Allocation.objects.filter(block=block, state="booked", is_rounding=False)
    assert standing.count() == accounts, f"{standing.count()} lines stand"
    assert (block.allocated_qty, block.allocated_cash, block.state) == (block.qty, block.cash, "booked")
    for model in (CashBalance, Holding):
        left = model._default_manager.get(account_id=block.account_id)
        assert left.pending == 0, f"{left.pending} is left with the firm"


def _floor(since: datetime) -> float:
    """Seconds for COPY of the rows into twins of their tables, in one transaction."""
    texts = {}
    with raw_cursor() as cursor:
        for table, where in _ROWS.items():
            cursor.execute(f"CREATE TABLE floor_{table} (LIKE {table} INCLUDING ALL)")
            cursor.execute(
                "SELECT string_agg(column_name, ', ' ORDER BY ordinal_position) FROM information_schema.columns "
                "WHERE table_name = %s AND is_identity = 'NO' AND column_name NOT IN ('xid', 'position')",
                [table],
            )
            columns = cursor.fetchall()[0][0]
            condition = where.replace("%%", "%").replace("%s", f"'{since.isoformat()}'")
            with cursor.copy(f"COPY (SELECT {columns} FROM {table} WHERE {condition}) TO STDOUT") as copy:
                texts[table] = (columns, b"".join(bytes(part) for part in copy))
    started = time.perf_counter()
    with transaction.atomic(), raw_cursor() as cursor:
        for table, (columns, text) in texts.items():
            with cursor.copy(f"COPY floor_{table} ({columns}) FROM STDIN") as copy:
                copy.write(text)
    return time.perf_counter() - started
