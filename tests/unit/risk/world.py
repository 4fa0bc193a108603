"""A request that passes every check, to be changed one fact at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from kernel.fix import OrdType, Side, TimeInForce
from refdata.domain.listing_facts import ListingFacts, PriceFacts
from refdata.domain.sessions import Phase
from refdata.domain.tick_table import Band
from risk.domain.answers import Verdict
from risk.domain.conduct import ConductFacts
from risk.domain.facts import (
    AccountFacts,
    Action,
    BlockFact,
    Facts,
    LimitFact,
    OperatorFacts,
    ReplaceRules,
    TermFacts,
    WaiverFact,
    WorkingFacts,
)
from risk.domain.rates import FROM_THE_START, Bucket, RateKind, Rates
from risk.domain.rulebook.book import Rulebook
from risk.domain.rulebook.entries import MandateEntry, Policy

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
D = Decimal

PRICE = PriceFacts(D("72.50"), None, None, D("71.00"), "test", AT)
LISTING = ListingFacts(
    listing_id=UUID(int=1),
    instrument_id=UUID(int=2),
    isin="GB00BH4HKS39",
    name="Vodafone",
    asset_class="equity",
    instrument_active=True,
    symbol="VOD.L",
    mic="XLON",
    market_name="London",
    venue_symbol="VOD",
    currency="GBP",
    price_unit="GBX",
    price_divisor=100,
    lot_size=D(10),
    tick_table="t",
    ticks=(Band(D(0), D("0.01")), Band(D(100), D("0.1"))),
    state="trading",
    average_daily_volume=None,
    version=1,
    ord_types=frozenset("1234"),
    times_in_force=frozenset("0123467"),
    always_open=False,
    phase=Phase.CONTINUOUS,
    business_date=date(2026, 11, 20),
    session_open_at=AT - timedelta(hours=2),
    session_close_at=AT + timedelta(hours=6),
    price=PRICE,
    at=AT,
)
LIMITS = (
    LimitFact("order_qty", "firm", "", "", D(50000), D(100000)),
    LimitFact("order_notional", "firm", "", "GBP", D(40000), D(80000)),
    LimitFact("price_collar", "firm", "", "", D("0.10"), D("0.30")),
    LimitFact("price_age", "firm", "", "", D(15), D(3600)),
)
TERMS = TermFacts(Side.BUY, OrdType.LIMIT, TimeInForce.DAY, D(1000), D("72.50"))
ROOM = Rates(
    Bucket("user:1", 0, FROM_THE_START[RateKind.USER]), Bucket("account:1", 0, FROM_THE_START[RateKind.ACCOUNT])
)
PAIRS = (("firm", ""), ("desk", "1"), ("account", "3"), ("instrument", str(UUID(int=2))))
POLICY = Policy(
    duplicate_window_s=60,
    self_trade={"account": Verdict.REFUSE, "client": Verdict.AUTHORISE, "firm": Verdict.PASS},
    volume_warn=D(10),
    volume_hard=D(100),
    volume_unknown=Verdict.PASS,
    spread_warn=D(5),
    depth_warn=D(20),
    book_unknown=Verdict.PASS,
    basket_orders=100,
    basket_notional={"GBP": D(1000000)},
    basket_ratio=D(10),
)
ANYTHING = MandateEntry(("firm", ""), None, None, None, True)
FACTS = Facts(
    at=AT,
    action=Action.NEW,
    operator=OperatorFacts(may_enter=True, trades_desk=True, trades_group=True),
    account=AccountFacts(UUID(int=3), "ACC-1", "active", False, True),
    listing=LISTING,
    terms=TERMS,
    cash_available=D(100000),
    stock_available=D(5000),
    trading_on=True,
    limits=LIMITS,
    blocks=(),
    rates=ROOM,
    conduct=ConductFacts(Rulebook(version=1, policy=POLICY, mandates=[ANYTHING]), PAIRS, "ticket"),
)
BLOCK = BlockFact("account", "3", "recovery:SIM1", "Session recovering.")
BREAK_ALONE = BlockFact("position", "3:4", "break:BRK-000001:new", "BRK-000001: 100 units nobody knows.")


def gate(*, account: str = str(UUID(int=3)), until: datetime = AT + timedelta(hours=1)) -> BlockFact:
    """A gate of the start of day, for the whole firm, that two people opened for an account until a time."""
    return BlockFact("firm", "", "start_of_day:BANK-CASH", "Not here.", (WaiverFact("W1", account, until),))


def facts(**changes: Any) -> Facts:
    """``FACTS`` with some of its own values changed."""
    return replace(FACTS, **changes)


def terms(**changes: Any) -> Facts:
    """``FACTS`` with other terms."""
    return replace(FACTS, terms=replace(TERMS, **changes))


def listing(**changes: Any) -> Facts:
    """``FACTS`` with another listing."""
    return replace(FACTS, listing=replace(LISTING, **changes))


def replacing(
    qty: str,
    *,
    cum: str = "0",
    px: str = "72.50",
    held: str = "725",
    open_replaces: int = 0,
    changed: tuple[str, ...] = (),
    told: tuple[timedelta, ...] = (),
    **rules: Any,
) -> Facts:
    """A replace of a working order for 1,000 at 72.50 to ``qty`` at ``px``; the venue was ``told`` so long ago."""
    working = WorkingFacts(
        D(1000), D(cum), D("72.50"), None, TimeInForce.DAY, D(held), D(0), open_replaces,
        ReplaceRules(**rules), frozenset(changed), tuple(AT - ago for ago in told),
    )  # fmt: skip
    return replace(terms(order_qty=D(qty), price=D(px)), action=Action.REPLACE, working=working)


def limits(*, without: str = "", **marks: tuple[str | None, str]) -> tuple[LimitFact, ...]:
    """The limits without one kind, or with other marks for some kinds."""
    found = []
    for item in LIMITS:
        if item.kind == without:
            continue
        if item.kind in marks:
            warn, hard = marks[item.kind]
            item = replace(item, warn=D(warn) if warn is not None else None, hard=D(hard))
        found.append(item)
    return tuple(found)


def book(policy: Policy | None = POLICY, **entries: Any) -> Facts:
    """``FACTS`` under another rulebook; without mandates of its own it has the one that allows everything."""
    entries = {"mandates": [ANYTHING]} | entries
    return replace(FACTS, conduct=replace(FACTS.conduct, rulebook=Rulebook(version=1, policy=policy, **entries)))


def conduct(**changes: Any) -> Facts:
    """``FACTS`` with other facts of conduct."""
    return replace(FACTS, conduct=replace(FACTS.conduct, **changes))
