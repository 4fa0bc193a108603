"""Demo clients, account groups, trading accounts with opening cash and stock. Made once, all together or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db import transaction

from accounts.models import AccountGroup, Client, SuspenseAccount, TradingAccount
from accounts.services.deposit import Deposit, deposit
from accounts.services.open_account import open_account
from accounts.services.record_locate import record_locate
from authorisation.domain.principal import Principal
from authorisation.models import Desk
from kernel.ids import new_id
from kernel.numbers import round_money
from refdata.models import Listing, ReferencePrice

FIRST_ACCOUNT = 4471
HOLDINGS_PER_ACCOUNT = 12
ROUND_LOT = Decimal(100)


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """An account group: its desk, its accounts' cash by currency (the first is the base) and where they hold stock."""

    code: str
    name: str
    desk: str
    cash: tuple[tuple[str, int], ...]
    mics: tuple[str, ...]
    accounts: int


GROUPS = (
    GroupPlan("EQ1-UK", "UK equity mandates", "EQ1", (("GBP", 12_000_000), ("EUR", 4_000_000)), ("XLON",), 12),
    GroupPlan("EQ1-EU", "Euro area mandates", "EQ1", (("EUR", 12_000_000), ("GBP", 3_000_000)), ("XETR", "XPAR"), 10),
    GroupPlan("EQ2-US", "US equity mandates", "EQ2", (("USD", 15_000_000), ("EUR", 2_000_000)), ("XNYS", "XNAS"), 12),
    GroupPlan("EQ2-AP", "Australia mandates", "EQ2", (("AUD", 14_000_000), ("USD", 3_000_000)), ("XASX",), 6),
)
CLIENTS = (
    ("HARTWELL", "Hartwell Pension Trustees"),
    ("NORTHSEA", "North Sea Mutual"),
    ("ALBION", "Albion Income Trust"),
    ("LINDEN", "Linden Family Office"),
    ("MERIDIAN", "Meridian Life Assurance"),
    ("RHEINTAL", "Rheintal Versicherung"),
    ("BELLERIVE", "Fondation Bellerive"),
    ("CASCADE", "Cascade Teachers Fund"),
    ("OAKRIDGE", "Oakridge Endowment"),
    ("SOUTHERN", "Southern Cross Super"),
)
SUSPENSE_GROUP = "-SUSPENSE"
"""Ends the code of a group of suspense accounts: seen with the desk, traded by nobody."""


@dataclass(frozen=True, slots=True)
class SuspensePlan:
    """A suspense account: of a desk, or with an empty ``desk`` the firm's, looked after by the desk ``kept_by``."""

    code: str
    name: str
    desk: str
    kept_by: str
    currency: str


SUSPENSE = (
    SuspensePlan("FIRM", "the firm", "", "EQ1", "GBP"),
    SuspensePlan("EQ1", "European equities", "EQ1", "EQ1", "GBP"),
    SuspensePlan("EQ2", "US and Australian equities", "EQ2", "EQ2", "USD"),
)
HOUSE_STYLES = ("Core", "Growth", "Income", "Value", "Quality", "Tracker")


def seed_accounts(*, actor: Principal, at: datetime, business_date: date) -> int:
    """Open what is missing and book its opening balances in the same transaction; returns how many were opened."""
    with transaction.atomic():
        clients = [
            Client.objects.get_or_create(code=code, defaults={"id": new_id(), "name": name})[0]
            for code, name in CLIENTS
        ]
        known = set(TradingAccount.objects.values_list("code", flat=True))
        deposits: list[Deposit] = []
        number = FIRST_ACCOUNT
        opened = 0
        for plan in GROUPS:
            group = _group(plan)
            listings = _listings(plan.mics)
            for place in range(plan.accounts):
                code = f"AC{number}"
                if code not in known:
                    account = open_account(
                        actor=actor,
                        at=at,
                        business_date=business_date,
                        code=code,
                        name=f"{clients[number % len(clients)].name} {HOUSE_STYLES[place % len(HOUSE_STYLES)]}",
                        client=clients[number % len(clients)],
                        group=group,
                        base_currency=plan.cash[0][0],
                        short_allowed=place % 5 == 4,
                    )
                    deposits.extend(_opening(account, plan, listings, place))
                    if account.short_allowed:
                        _locate(account, listings[place % len(listings)][0], actor=actor, at=at)
                    opened += 1
                number += 1
        if deposits:
            deposit(actor=actor, at=at, business_date=business_date, deposits=deposits, kind="opening")
        for unclaimed in SUSPENSE:
            _seed_suspense(unclaimed, actor=actor, at=at, business_date=business_date)
        return opened


def _locate(account: TradingAccount, listing: Listing, *, actor: Principal, at: datetime) -> None:
    """What a lender promised the account for short sales, for as long as a demo may be looked at."""
    record_locate(
        actor=actor,
        at=at,
        account_id=account.id,
        instrument_id=listing.instrument_id,
        ref=f"LOC-{account.code}",
        qty=Decimal(50_000),
        lender="Harbour Securities Lending",
        expires_at=at + timedelta(days=365),
    )


def _seed_suspense(plan: SuspensePlan, *, actor: Principal, at: datetime, business_date: date) -> None:
    """The account where unaccepted executions of a desk, or of the whole firm, lie. Nobody buys for it."""
    owner = Desk.objects.filter(code=plan.desk).first()
    if SuspenseAccount.objects.filter(desk=owner).exists():
        return
    house, _ = Client.objects.get_or_create(code="HOUSE", defaults={"id": new_id(), "name": "The house itself"})
    group, _ = AccountGroup.objects.get_or_create(
        code=f"{plan.code}{SUSPENSE_GROUP}",
        defaults={"name": f"{plan.name}, suspense", "desk": Desk.objects.get(code=plan.kept_by)},
    )
    account = open_account(
        actor=actor,
        at=at,
        business_date=business_date,
        code=f"SUSPENSE-{plan.code}",
        name=f"Suspense of {plan.name}",
        client=house,
        group=group,
        base_currency=plan.currency,
    )
    account.state = TradingAccount.State.REDUCE_ONLY
    account.save(update_fields=["state"])
    SuspenseAccount.objects.create(desk=owner, account=account)


def _group(plan: GroupPlan) -> AccountGroup:
    desk = Desk.objects.get(code=plan.desk)
    return AccountGroup.objects.get_or_create(code=plan.code, defaults={"name": plan.name, "desk": desk})[0]


def _listings(mics: Sequence[str]) -> list[tuple[Listing, ReferencePrice]]:
    """Listings by symbol with their first prices; of an instrument with two listings only the first counts."""
    rows = Listing.objects.filter(market_id__in=mics).select_related("referenceprice").order_by("symbol")
    seen: set[object] = set()
    found = []
    for row in rows:
        if row.instrument_id not in seen:
            seen.add(row.instrument_id)
            found.append((row, row.referenceprice))
    return found


def _opening(
    account: TradingAccount, plan: GroupPlan, listings: Sequence[tuple[Listing, ReferencePrice]], place: int
) -> list[Deposit]:
    """Cash in each currency and round lots of stock, spread over the list so that accounts differ. No chance in it."""
    scale = Decimal(2 + place % 4) / 2
    lines = [
        Deposit(account_id=account.id, amount=Decimal(amount) * scale, currency=currency)
        for currency, amount in plan.cash
    ]
    for step in range(min(HOLDINGS_PER_ACCOUNT, len(listings))):
        listing, price = listings[(place * 5 + step) % len(listings)]
        worth = Decimal(200_000 + 90_000 * ((place + step) % 5))
        units = worth * listing.price_divisor / price.last
        qty = max(units // ROUND_LOT, Decimal(1)) * ROUND_LOT
        cost = round_money(qty * price.last / listing.price_divisor, listing.currency)
        lines.append(
            Deposit(
                account_id=account.id,
                amount=qty,
                instrument_id=listing.instrument_id,
                cost=cost,
                cost_currency=listing.currency,
            )
        )
    return lines
