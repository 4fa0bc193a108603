"""The firm's accounts that blocks are executed for, where rounding and errors go, and how blocks are divided when nobody says more."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.models import AccountGroup, Client, TradingAccount
from accounts.services.deposit import Deposit, deposit
from accounts.services.open_account import open_account
from allocations.models import Scheme, WashAccount
from allocations.services.save_scheme import save_scheme
from authorisation.domain.principal import Principal
from authorisation.models import Desk
from kernel.ids import new_id
from kernel.numbers import round_money
from oms_project.seed.accounts import GROUPS, SUSPENSE, SUSPENSE_GROUP, GroupPlan
from refdata.models import Listing

BLOCK_CLASS, HOUSE_CLASS = "block", "house"
CARRIES = 20_000_000
STOCK = Decimal(200_000)
STOCKS = 8
ROUNDING = 1_000


@dataclass(frozen=True, slots=True)
class BlockPlan:
    """A wash account beside a group of clients: ``books_alone`` says whether its default is booked without a person."""

    group: str
    books_alone: bool

    @property
    def code(self) -> str:
        return f"BLOCK-{self.group}"


BLOCKS = (
    BlockPlan("EQ1-UK", books_alone=False),
    BlockPlan("EQ1-EU", books_alone=True),
    BlockPlan("EQ2-US", books_alone=True),
    BlockPlan("EQ2-AP", books_alone=True),
)


def seed_blocks(*, actor: Principal, at: datetime, business_date: date) -> int:
    """Open what is missing, funded in the same transaction; returns how many wash accounts were made."""
    made = 0
    groups = {plan.code: plan for plan in GROUPS}
    with transaction.atomic():
        for plan in BLOCKS:
            if not TradingAccount.objects.filter(code=plan.code).exists():
                _open(plan, groups[plan.group], actor=actor, at=at, business_date=business_date)
                made += 1
    return made


def _open(plan: BlockPlan, group: GroupPlan, *, actor: Principal, at: datetime, business_date: date) -> None:
    desk = Desk.objects.get(code=group.desk)
    blocks, _ = AccountGroup.objects.get_or_create(
        code=f"{desk.code}-BLOCKS", defaults={"name": f"{desk.name}, blocks", "desk": desk}
    )
    currency = group.cash[0][0]
    common: dict[str, Any] = {"actor": actor, "at": at, "business_date": business_date}
    account = open_account(
        **common, code=plan.code, name=f"Blocks for {group.name}", client=_house(), group=blocks, base_currency=currency,
        account_class=BLOCK_CLASS, opens_currencies=True,
    )  # fmt: skip
    firm = [_firm_account(word, desk, currency, **common) for word in ("ROUNDING", "ERROR")]
    deposit(**common, deposits=_funds(account, group, currency), kind="opening")
    wash = WashAccount.objects.create(account=account, desk=desk, rounding_account=firm[0], error_account=firm[1])
    _default(plan, group, wash, actor=actor, at=at)


def _house() -> Client:
    return Client.objects.get_or_create(code="HOUSE", defaults={"id": new_id(), "name": "The house itself"})[0]


def _firm_account(word: str, desk: Desk, currency: str, **common: Any) -> TradingAccount:
    """Of the desk; looked after like suspense: seen with the desk, traded by nobody."""
    code = f"{word}-{desk.code}"
    found = TradingAccount.objects.filter(code=code).first()
    if found is not None:
        return found
    kept = next(plan for plan in SUSPENSE if plan.desk == desk.code)
    group = AccountGroup.objects.get(code=f"{kept.code}{SUSPENSE_GROUP}")
    account = open_account(
        **common, code=code, name=f"{word.capitalize()} of {desk.name}", client=_house(), group=group,
        base_currency=currency, account_class=HOUSE_CLASS, opens_currencies=True,
    )  # fmt: skip
    account.state = TradingAccount.State.REDUCE_ONLY
    account.save(update_fields=["state"])
    funds = [
        Deposit(account.id, Decimal(ROUNDING), currency=one)
        for one in sorted({plan.cash[0][0] for plan in GROUPS if plan.desk == desk.code})
    ]
    deposit(**common, deposits=funds, kind="opening")
    return account


def _funds(account: TradingAccount, group: GroupPlan, currency: str) -> list[Deposit]:
    """Cash that carries purchases and stock that carries sales until they are allocated."""
    lines = [Deposit(account.id, Decimal(CARRIES), currency=currency)]
    rows = Listing.objects.filter(market_id__in=group.mics).select_related("referenceprice").order_by("symbol")
    seen: set[UUID] = set()
    for listing in rows:
        if listing.instrument_id in seen or len(seen) == STOCKS:
            continue
        seen.add(listing.instrument_id)
        cost = round_money(STOCK * listing.referenceprice.last / listing.price_divisor, listing.currency)
        lines.append(
            Deposit(account.id, STOCK, instrument_id=listing.instrument_id, cost=cost, cost_currency=listing.currency)
        )
    return lines


def _default(plan: BlockPlan, group: GroupPlan, wash: WashAccount, *, actor: Principal, at: datetime) -> None:
    """By weight among the clients of the group: the larger ones have twice the smaller ones'."""
    codes = TradingAccount.objects.filter(group__code=plan.group).order_by("code").values_list("code", flat=True)
    lines = [{"account": code, "weight": str(2 + place % 4)} for place, code in enumerate(codes)]
    body = {
        "code": f"{plan.group}-BY-SIZE", "name": f"{group.name} by size", "desk": group.desk, "method": "weights",
        "lines": lines, "parameters": {}, "wash_account": plan.code, "strategy": "", "books_alone": plan.books_alone,
        "ended": False,
    }  # fmt: skip
    if not Scheme.objects.filter(code=body["code"]).exists():
        save_scheme(actor=actor, at=at, body=body, request_id=None)
