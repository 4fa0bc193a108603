"""The small world that scenario files are played in: one market, one listing, one funded account, one dealer.

Made in a throw-away database, once a dialect; nothing of it is for a house that trades.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from guardian.models import GroupObjectPermission

from accounts.models import AccountGroup, Client, TradingAccount
from accounts.services.deposit import Deposit, deposit
from accounts.services.load_fee_schedules import load_fee_schedules
from accounts.services.open_account import open_account
from authorisation.domain.principal import Principal, process_principal
from authorisation.models import Desk, User
from authorisation.selectors import get_principal
from kernel.fix import OrdType, TimeInForce
from kernel.ids import new_id
from orders.models import Order
from orders.scenario_runner import FIRST_DAY
from refdata.models import Instrument, Listing, Market, TickBand, TickTable
from risk.models import Block, Limit
from risk.services.set_open_rulebook import set_open_rulebook
from venues.models import FixSession, Venue

MIC = "XSCN"
SYMBOL = "SCN"
DEFAULT_PX = Decimal(100)
# The matrices show requests in flight behind each other and filled orders revived: our doors must let them out.
ADAPTERS = {"4.2": "fix42-chained", "4.4": "fix44-chained", "5.0SP2": "fix44-chained"}
BEGIN_STRINGS = {"4.2": "FIX.4.2", "4.4": "FIX.4.4", "5.0SP2": "FIXT.1.1"}
ROUTE = "scenarios"

_ANY_DAY = {
    "version": "1", "mic": MIC, "effective_from": "2000-01-01", "method": "rates", "basis": "order_day",
    "rounding": "half_up", "source": ROUTE,
}  # fmt: skip
FEES = (
    {**_ANY_DAY, "name": "commission", "kind": "commission", "currency": "GBP", "bps": "7", "minimum": "5"},
    {**_ANY_DAY, "name": "duty", "kind": "tax", "side": "buy", "bps": "50"},
)
"""Some of each, so that whatever is played is charged, corrected and taken back too."""


@dataclass(frozen=True)
class World:
    """The desk all paths trade on."""

    dealer: Principal
    account: TradingAccount
    listing: Listing
    session: FixSession


def make_world(spec_version: str) -> World:
    """One market that never closes, one funded account, one dealer, one session of the dialect; made once a dialect."""
    market = _market()
    listing = Listing.objects.filter(symbol=SYMBOL).first() or _listing(market)
    desk, _ = Desk.objects.get_or_create(code="SCN", defaults={"name": "Scenarios"})
    group, _ = AccountGroup.objects.get_or_create(code="SCN", defaults={"name": "Scenarios", "desk": desk})
    account = TradingAccount.objects.filter(code="SCN").first() or _account(group)
    load_fee_schedules(actor=process_principal(ROUTE), at=moment(1, 0), rows=FEES)
    _wide_limits()
    venue, _ = Venue.objects.get_or_create(
        code=f"V{spec_version}", defaults={"name": spec_version, "adapter": ADAPTERS[spec_version]}
    )
    session, _ = FixSession.objects.get_or_create(
        name=f"SCN-{spec_version}",
        defaults={
            "group": f"SCN-{spec_version}",
            "venue": venue,
            "begin_string": BEGIN_STRINGS[spec_version],
            "sender_comp_id": "OMS",
            "target_comp_id": f"VENUE{spec_version}",
            "port": 1,
            "state": FixSession.State.LOGGED_ON,
        },
    )
    # Only this dialect's venue trades the market now, so that routing has no choice.
    for other in Venue.objects.all():
        other.markets.set([market] if other.pk == venue.pk else [])
    return World(_dealer(desk, group), account, listing, session)


def _market() -> Market:
    return Market.objects.get_or_create(
        mic=MIC,
        defaults={
            "name": "Scenarios",
            "country": "GB",
            "time_zone": "UTC",
            "currency": "GBP",
            "calendar_code": MIC,
            "settlement_calendar": "UK",
            "settlement_days": 2,
            "ord_types": [item.value for item in OrdType],
            "times_in_force": [item.value for item in TimeInForce],
            "always_open": True,
        },
    )[0]


def _listing(market: Market) -> Listing:
    ticks = TickTable.objects.create(name="scenarios")
    TickBand.objects.create(table=ticks, price_from=0, tick=Decimal("0.0001"))
    instrument = Instrument.objects.create(id=new_id(), isin="ZZ0000000008", name="Scenario share")
    return Listing.objects.create(
        id=new_id(),
        instrument=instrument,
        market=market,
        symbol=SYMBOL,
        currency="GBP",
        price_unit="GBP",
        price_divisor=1,
        tick_table=ticks,
        venue_symbol=SYMBOL,
    )


def _account(group: AccountGroup) -> TradingAccount:
    client = Client.objects.create(id=new_id(), code="SCN", name="Scenarios")
    actor, at = process_principal(ROUTE), moment(1, 0)
    account = open_account(
        actor=actor,
        at=at,
        business_date=FIRST_DAY,
        code="SCN",
        name="Scenarios",
        client=client,
        group=group,
        base_currency="GBP",
    )
    funds = [Deposit(account.id, Decimal(10) ** 13, currency="GBP")]
    deposit(actor=actor, at=at, business_date=FIRST_DAY, deposits=funds, kind="opening")
    return account


def _wide_limits() -> None:
    """Limits that no scenario reaches, and trading as if it had been switched on."""
    for kind, currency in (("order_qty", ""), ("order_notional", "GBP"), ("price_collar", ""), ("price_age", "")):
        Limit.objects.update_or_create(
            scope="firm",
            scope_id="",
            kind=kind,
            currency=currency,
            defaults={"warn": Decimal(10) ** 12, "hard": Decimal(10) ** 12, "owner": ROUTE},
        )
    set_open_rulebook(owner=ROUTE)
    at = moment(1, 0)
    Block.objects.filter(source="trading_switch", lifted_at__isnull=True).update(lifted_at=at)
    if not Block.objects.filter(source="trading_switch").exists():
        Block.objects.create(
            id=new_id(),
            scope="firm",
            source="trading_switch",
            reason="scenarios",
            imposed_by=ROUTE,
            imposed_at=at,
            lifted_at=at,
        )


def _dealer(desk: Desk, group: AccountGroup) -> Principal:
    user, made = User.objects.get_or_create(username="scenario-dealer", defaults={"desk": desk})
    if made:
        role, _ = Group.objects.get_or_create(name=ROUTE)
        content_type = ContentType.objects.get_for_model(Order)
        role.permissions.add(Permission.objects.get(content_type=content_type, codename="enter_order"))
        for right, thing in (("desk", desk), ("accountgroup", group)):
            _grant(role, f"view_{right}", thing)
            _grant(role, f"trade_{right}", thing)
        user.groups.add(role)
    return get_principal(user)


def _grant(role: Group, right: str, thing: models.Model) -> None:
    content_type = ContentType.objects.get_for_model(thing)
    permission = Permission.objects.get(content_type=content_type, codename=right)
    GroupObjectPermission.objects.get_or_create(
        permission=permission, content_type=content_type, object_pk=str(thing.pk), group=role
    )


def moment(day: int, place: int) -> datetime:
    """When the row at this place of a path happens."""
    return datetime.combine(FIRST_DAY, datetime.min.time(), UTC) + timedelta(days=day - 1, hours=9, seconds=place)
