"""A small desk to trade on: one desk, one account with cash and stock, listings with prices, trading on, and its people.

Every part can be made alone; ``make_desk`` makes them together. Fixed values, so that tests can name exact figures.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from guardian.models import GroupObjectPermission

from accounts.models import AccountGroup, CashBalance, Client, FeeSchedule, Holding, TradingAccount
from accounts.selectors.fees import FEE_SCHEDULES
from accounts.services.load_fee_schedules import load_fee_schedules
from authorisation.domain.principal import Principal, process_principal
from authorisation.models import Desk, User
from authorisation.selectors import get_principal
from kernel.fix import OrdType, Side, TimeInForce
from kernel.ids import new_id
from orders.domain.terms import OrderTerms
from refdata.models import Instrument, Listing, Market, ReferencePrice, StaticVersion, TickBand, TickTable
from risk.domain.usage import COUNTED_KINDS, COUNTING_CURRENCY, VALUE_KINDS, usage_key
from risk.models import Block, Limit
from risk.services.set_open_rulebook import set_open_rulebook
from risk.services.start_counting import start_counting

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)  # a Friday, London open
ISINS = {"VOD.L": "GB00BH4HKS39", "BARC.L": "GB0031348658", "MSFT": "US5949181045"}


@dataclass
class DeskWorld:
    """What ``make_desk`` made; principals are loaded as a door would load them."""

    desk: Desk
    group: AccountGroup
    account: TradingAccount
    listing: Listing
    dealer: Principal
    checker: Principal


def make_market(mic: str = "XLON", currency: str = "GBP", *, always_open: bool = True, **values: Any) -> Market:
    """A market that takes every order type and time in force and never closes, unless told."""
    defaults: dict[str, Any] = {
        "name": mic,
        "country": "GB",
        "time_zone": "Europe/London",
        "currency": currency,
        "calendar_code": mic,
        "settlement_calendar": "UK",
        "settlement_days": 2,
        "ord_types": [item.value for item in OrdType],
        "times_in_force": [item.value for item in TimeInForce],
        "always_open": always_open,
    }
    charge_nothing()
    return Market.objects.get_or_create(mic=mic, defaults=defaults | values)[0]


def charge_nothing() -> None:
    """A commission schedule for every trade, which says that nothing is charged: tests of fees add their own."""
    if not FeeSchedule.objects.filter(source="tests").exists():
        FeeSchedule.objects.create(
            name="commission", version=1, kind="commission", basis="order_day", effective_from=date(2000, 1, 1),
            method="none", rounding="half_up", source="tests", event_id=new_id(), recorded_at=AT,
        )  # fmt: skip
        StaticVersion.objects.update_or_create(name=FEE_SCHEDULES, defaults={"version": new_id()})


def charge_as_published() -> None:
    """The schedules of the room's own file: London charges commission, duty and levy."""
    with (Path(__file__).resolve().parents[2] / "accounts/data/fee_schedules.csv").open(encoding="utf-8") as file:
        done = load_fee_schedules(actor=process_principal("seed"), at=AT, rows=list(csv.DictReader(file)))
    assert done.issues == ()


def make_listing(
    symbol: str = "VOD.L",
    *,
    last: str | None = "72.50",
    price_unit: str = "GBX",
    market: Market | None = None,
    **values: Any,
) -> Listing:
    """A listing with ticks of 0.01 below 100 and 0.1 above, lots of one, and a price of ``AT`` (none when ``last`` is None)."""
    market = market or make_market()
    table, made = TickTable.objects.get_or_create(name="test")
    if made:
        TickBand.objects.create(table=table, price_from=0, tick=Decimal("0.01"))
        TickBand.objects.create(table=table, price_from=100, tick=Decimal("0.1"))
    isin = ISINS.get(symbol) or f"TEST{symbol.replace('.', '')[:8]:0<8}"
    instrument = Instrument.objects.create(id=new_id(), isin=isin, name=symbol)
    defaults = {
        "currency": market.currency,
        "price_unit": price_unit,
        "price_divisor": 100 if price_unit == "GBX" else 1,
        "tick_table": table,
        "venue_symbol": symbol.split(".")[0],
    }
    listing = Listing.objects.create(
        id=new_id(), instrument=instrument, market=market, symbol=symbol, **(defaults | values)
    )
    if last is not None:
        set_price(listing, last)
    return listing


def set_price(listing: Listing, last: str, *, at: datetime = AT, previous_close: str | None = "71.00") -> None:
    """The reference price of a listing, spoken by its feed at ``at``."""
    ReferencePrice.objects.update_or_create(
        listing=listing,
        defaults={
            "last": Decimal(last),
            "previous_close": Decimal(previous_close) if previous_close else None,
            "source": "test",
            "priced_at": at,
        },
    )


def make_account(
    code: str = "ACC-1", *, group: AccountGroup, cash: str | None = "100000", currency: str = "GBP", **values: Any
) -> TradingAccount:
    """An active account of a client of its own with settled cash."""
    client = Client.objects.create(id=new_id(), code=f"CL-{code}", name=f"Client of {code}")
    account = TradingAccount.objects.create(
        id=new_id(), code=code, name=code, client=client, group=group, base_currency=currency, **values
    )
    if cash is not None:
        CashBalance.objects.create(account=account, currency=currency, settled=Decimal(cash))
    return account


def give_stock(account: TradingAccount, listing: Listing, qty: str) -> Holding:
    """Settled stock."""
    return Holding.objects.create(account=account, instrument_id=listing.instrument_id, settled=Decimal(qty))


def set_limits(currency: str = "GBP") -> None:
    """Firm limits: one order warns above 50,000 units or 40,000 of value and stops above 100,000 or 80,000."""
    for kind, unit, warn, hard in (
        ("order_qty", "", "50000", "100000"),
        ("order_notional", currency, "40000", "80000"),
        ("price_collar", "", "0.10", "0.30"),
        ("price_age", "", "15", "3600"),
    ):
        Limit.objects.update_or_create(
            scope="firm",
            scope_id="",
            kind=kind,
            currency=unit,
            defaults={"warn": Decimal(warn), "hard": Decimal(hard), "owner": "risk"},
        )


def set_mark(kind: str, hard: str, *, warn: str | None = None, scope: str = "firm", scope_id: object = "") -> Limit:
    """A mark as if it had been set up: its scope is counted from now on where its kind needs it."""
    in_money, counted = kind in VALUE_KINDS, kind in COUNTED_KINDS
    mark, _ = Limit.objects.update_or_create(
        scope=scope,
        scope_id=str(scope_id),
        kind=kind,
        currency=COUNTING_CURRENCY if in_money else "",
        defaults={"warn": Decimal(warn) if warn else None, "hard": Decimal(hard), "owner": "risk"},
    )
    if counted:
        start_counting(keys=[usage_key(scope, str(scope_id))], at=AT)
    return mark


def set_rulebook(**marks: Any) -> None:
    """A rulebook that asks nothing but ``marks``: tests send equal and crossing orders on purpose."""
    set_open_rulebook(owner="test", **marks)


def trading_on() -> None:
    """Trading as if it had been switched on before the test began."""
    Block.objects.filter(source="trading_switch", lifted_at__isnull=True).update(lifted_at=AT)
    if not Block.objects.filter(source="trading_switch").exists():
        Block.objects.create(
            id=new_id(),
            scope="firm",
            source="trading_switch",
            reason="off",
            imposed_by="test",
            imposed_at=AT,
            lifted_at=AT,
        )


def trading_off() -> None:
    """Trading as if it had been switched off before the test began."""
    Block.objects.create(
        id=new_id(), scope="firm", source="trading_switch", reason="Switched off.", imposed_by="test", imposed_at=AT
    )


def grant(group: Group, right: str, thing: models.Model) -> None:
    """An object right for everybody in the group."""
    content_type = ContentType.objects.get_for_model(thing)
    permission = Permission.objects.get(content_type=content_type, codename=right)
    GroupObjectPermission.objects.get_or_create(
        permission=permission, content_type=content_type, object_pk=str(thing.pk), group=group
    )


def make_user(
    username: str, *, role: str, rights: tuple[str, ...] = (), desk: Desk | None = None, **values: Any
) -> User:
    """A user in the group of a role, with the role rights given."""
    user = User.objects.create(username=username, desk=desk, persona=values.pop("persona", "dealer"), **values)
    group, _ = Group.objects.get_or_create(name=role)
    group.permissions.add(*Permission.objects.filter(codename__in=rights))
    user.groups.add(group)
    return user


def make_principal(
    username: str,
    *,
    role: str,
    rights: tuple[str, ...],
    desks: tuple[Desk, ...] = (),
    groups: tuple[AccountGroup, ...] = (),
    trades: bool = True,
    **values: Any,
) -> Principal:
    """A principal who sees, and unless told otherwise trades, the desks and account groups given."""
    user = make_user(username, role=role, rights=rights, desk=desks[0] if desks else None, **values)
    own, _ = Group.objects.get_or_create(name=f"grants:{username}")
    user.groups.add(own)
    for desk in desks:
        grant(own, "view_desk", desk)
        if trades:
            grant(own, "trade_desk", desk)
    for group in groups:
        grant(own, "view_accountgroup", group)
        if trades:
            grant(own, "trade_accountgroup", group)
    return get_principal(user)


def make_desk(code: str = "EQ1", *, cash: str = "100000", symbol: str = "VOD.L", last: str = "72.50") -> DeskWorld:
    """A desk ready to trade: account with cash, VOD.L in pence at 72.50, limits, trading on, a dealer and a checker."""
    desk = Desk.objects.create(code=code, name=code)
    group = AccountGroup.objects.create(code=f"G-{code}", name=code, desk=desk)
    account = make_account(f"ACC-{code}", group=group, cash=cash)
    listing = Listing.objects.filter(symbol=symbol).first() or make_listing(symbol, last=last)
    set_limits()
    set_rulebook()
    trading_on()
    dealer = make_principal(
        f"dealer-{code}", role="dealer", rights=("enter_order", "work_exception"), desks=(desk,), groups=(group,)
    )
    checker = make_principal(
        f"checker-{code}",
        role="desk_head",
        rights=("release_order", "cancel_order"),
        desks=(desk,),
        groups=(group,),
        persona="desk_head",
    )
    return DeskWorld(desk, group, account, listing, dealer, checker)


def terms(world: DeskWorld, **changes: Any) -> OrderTerms:
    """Buy 1,000 VOD.L at 72.50 pence, day, for the world's account; any term may be changed."""
    defaults: dict[str, Any] = {
        "account": world.account.code,
        "symbol": world.listing.symbol,
        "side": Side.BUY,
        "ord_type": OrdType.LIMIT,
        "order_qty": Decimal(1000),
        "price": Decimal("72.50"),
    }
    return OrderTerms(**(defaults | changes))
