"""A day of a house that trades enough for counterpart files: two currencies, three accounts, orders with several trades,
corrections, busts, replaced orders, overfills and strangers. Real services only.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from accounts.models import TradingAccount
from accounts.services.deposit import Deposit, deposit
from accounts.services.open_account import open_account
from authorisation.domain.principal import process_principal
from kernel.fix import ExecType, OrdStatus, Side
from orders.domain.results import CaptureResult
from reconciliation.domain.records import Kind
from reconciliation.services.make_files import MadeFiles, make_files
from refdata.models import Listing
from tests.factories import AT, make_listing, make_market, set_limits
from tests.factories.busy_day import LATER, Day, busy_day, told_desk

DAY = AT.date()
MADE_AT = AT + timedelta(hours=8)


@dataclass
class TradingDay:
    """``day`` is the busy one; ``extra`` are the orders beside it."""

    day: Day
    dollars: Listing
    accounts: list[TradingAccount]
    extra: list[CaptureResult] = field(default_factory=list)

    def make(
        self, out: Path, breaks: str = "", *, seed: int = 1, kinds: tuple[Kind, ...] = tuple(Kind), **more: Any
    ) -> MadeFiles:
        """Files of the day."""
        return make_files(day=DAY, seed=seed, breaks=breaks, out=out, kinds=kinds, at=MADE_AT, **more)


def trading_day(orders: int = 12, *, busy: bool = True) -> TradingDay:
    """Everything of a busy day, and so many orders of four fills each on two markets and three accounts."""
    world = told_desk(cash="9000000", stock="200000")
    dollars = make_listing(
        "MSFT", last="40.00", price_unit="USD", market=make_market("XNAS", "USD", time_zone="America/New_York")
    )
    set_limits("USD")
    accounts = [world.account, *(_account(world, name, dollars) for name in ("RECON-2", "RECON-3"))]
    done = TradingDay(busy_day(world) if busy else Day(world), dollars, accounts)
    for number in range(orders):
        done.extra.append(_filled(done, number))
    if busy:
        _repeated(done)
    return done


def _repeated(done: TradingDay) -> None:
    """A venue that numbers executions by order: the same ExecIDs on two orders, and one of them twice on one order."""
    day = done.day
    for number in range(2):
        order = day.send(f"repeated {number}", order_qty=Decimal(90))
        fills = [("R1", 20 + number, "72.40"), ("R2", 30 + number, "72.41"), *([("R2", 7, "72.42")] if number else [])]
        day.says(*[day.trade(order, qty, px, exec_id=name) for name, qty, px in fills])


def traded_at(done: TradingDay, name: str, at: datetime, trade_date: date, **more: Any) -> CaptureResult:
    """A fill of 10 at a moment that belongs to a trading day."""
    order = done.day.send(name, order_qty=Decimal(10), **more)
    px = str(more.get("price", Decimal("72.50")))
    done.day.says(done.day.trade(order, 10, px, event_at=at, received_at=at, trade_date=trade_date))
    return order


def _account(world: Any, code: str, dollars: Listing) -> TradingAccount:
    actor = process_principal("test")
    account = open_account(
        actor=actor, at=AT, business_date=DAY, code=code, name=code, client=world.account.client, group=world.group,
        base_currency="USD",
    )  # fmt: skip
    lines = [
        *(Deposit(account.id, Decimal(100_000 + part), currency="USD") for part in range(-2, 3)),
        *(Deposit(account.id, Decimal(140_000 + part), currency="GBP") for part in range(-2, 3)),
        Deposit(account.id, Decimal(5_000), instrument_id=dollars.instrument_id),
        Deposit(account.id, Decimal(3_000), instrument_id=world.listing.instrument_id),
    ]
    for line in lines:  # each a transfer of its own, which the bank lists
        deposit(actor=actor, at=AT, business_date=DAY, deposits=[line], kind="deposit")
    return account


def _filled(done: TradingDay, number: int) -> CaptureResult:
    """An order of 400 units in four fills a second apart; every third one in dollars, every fourth one a sale."""
    day, account = done.day, done.accounts[number % 3]
    american = number % 3 != 0 and number % 2 == 0
    px = Decimal("40.00") if american else Decimal("72.50")
    order = day.send(
        f"extra {number}",
        account=account.code,
        symbol="MSFT" if american else "VOD.L",
        side=Side.SELL if number % 4 == 3 else Side.BUY,
        order_qty=Decimal(400 + number),
        price=px,
    )
    reports = [day.report(order, ExecType.NEW, OrdStatus.NEW)]
    for step in range(4):
        at = LATER + timedelta(minutes=number, seconds=step)
        mkt = "XNAS" if american else "XLON"
        reports.append(
            day.trade(
                order, 40 + number + step, str(px + Decimal(step) / 100), event_at=at, received_at=at, last_mkt=mkt
            )
        )
    day.says(*reports)
    return order
