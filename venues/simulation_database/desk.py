"""The small world that simulated seeds trade in: one market that never closes, two listings, one dealer, a venue a dialect.

Accounts are made for each order of each seed, so that what one seed moves is never mixed with another's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import models
from guardian.models import GroupObjectPermission

from accounts.models import AccountGroup, Client, SuspenseAccount, TradingAccount
from accounts.services.deposit import Deposit, deposit
from accounts.services.load_fee_schedules import load_fee_schedules
from accounts.services.open_account import open_account
from accounts.services.record_locate import record_locate
from authorisation.domain.principal import Principal, process_principal
from authorisation.models import Desk, User
from authorisation.selectors import get_principal
from kernel.fix import OrdType, TimeInForce
from kernel.ids import new_id
from orders.models import Order
from refdata.models import Instrument, Listing, Market, ReferencePrice, TickBand, TickTable
from risk.models import Block, Limit
from risk.services.set_open_rulebook import set_open_rulebook
from risk.services.start_counting import start_counting
from venues.adapters.registry import adapter_named
from venues.models import FixSession, Venue
from venues.simulation.books import FIRST_DAY, REFERENCE_PX, START
from venues.simulation.truth import COMMISSION_BPS, COMMISSION_MINIMUM, DUTY_BPS, LEVY_CAP, LEVY_CENTS_A_SHARE

NAME = "simulation"
MIC = "XSIM"
LOCATED = "LOCATED-"
"""Begins the name of the locate of an account in each listing."""
OPENING_CASH = Decimal(10) ** 10
OPENING_STOCK = Decimal(10) ** 8
FAR = Decimal(10) ** 12
_ANY_DAY = {"version": "1", "mic": MIC, "effective_from": "2000-01-01", "method": "rates", "source": NAME}
FEES: tuple[dict[str, str], ...] = (
    {
        **_ANY_DAY, "name": "commission", "kind": "commission", "basis": "order_day", "currency": "GBP",
        "bps": str(COMMISSION_BPS), "minimum": str(Decimal(COMMISSION_MINIMUM) / 100), "rounding": "half_up",
    },
    {
        **_ANY_DAY, "name": "duty", "kind": "tax", "basis": "order_day", "side": "buy", "bps": str(DUTY_BPS),
        "rounding": "half_up",
    },
    {
        **_ANY_DAY, "name": "levy", "kind": "fee", "basis": "execution", "side": "sell", "currency": "GBP",
        "per_share": str(Decimal(LEVY_CENTS_A_SHARE) / 100), "maximum": str(Decimal(LEVY_CAP) / 100), "rounding": "up",
    },
)  # fmt: skip
"""What ``venues.simulation.truth.owed_for_a_day`` owes, as schedules."""


@dataclass(frozen=True)
class SimulatedDesk:
    """Who trades what where. ``listings`` by price divisor, ``sessions`` by adapter."""

    dealer: Principal
    group: AccountGroup
    client: Client
    suspense: TradingAccount
    listings: dict[int, Listing]
    sessions: dict[str, FixSession]

    def choose(self, adapter: str) -> FixSession:
        """The session of a dialect; only its venue trades the market from now on, so that routing has no choice."""
        chosen = self.sessions[adapter]
        market = self.listings[1].market
        for session in self.sessions.values():
            session.venue.markets.set([market] if session.pk == chosen.pk else [])
        return chosen

    def open(self, code: str) -> TradingAccount:
        """A funded account that holds enough of both listings to sell."""
        return _open(code, self.client, self.group, [listing.instrument_id for listing in self.listings.values()])

    def locate_of(self, listing: Listing) -> str:
        """The name under which every account may sell so much of the listing short."""
        return f"{LOCATED}{list(self.listings.values()).index(listing)}"


def make_desk(adapters: tuple[str, ...]) -> SimulatedDesk:
    """Made once in a fresh database."""
    market = Market.objects.create(
        mic=MIC,
        name="Simulation",
        country="GB",
        time_zone="UTC",
        currency="GBP",
        calendar_code=MIC,
        settlement_calendar="UK",
        settlement_days=2,
        ord_types=[item.value for item in OrdType],
        times_in_force=[item.value for item in TimeInForce],
        always_open=True,
    )
    ticks = TickTable.objects.create(name=NAME)
    TickBand.objects.create(table=ticks, price_from=0, tick=Decimal("0.0001"))
    listings = {1: _listing(market, ticks, 1, "ZZ0000000016"), 100: _listing(market, ticks, 100, "ZZ0000000024")}
    desk = Desk.objects.create(code="SIM", name="Simulation")
    group = AccountGroup.objects.create(code="SIM", name="Simulation", desk=desk)
    client = Client.objects.create(id=new_id(), code="SIM", name="Simulation")
    suspense = _open("SIM-SUSPENSE", client, group, [])
    SuspenseAccount.objects.create(desk=desk, account=suspense)
    _wide_limits()
    loaded = load_fee_schedules(actor=process_principal(NAME), at=START, rows=FEES)
    if loaded.issues:
        raise ValueError(f"a fee schedule of the simulation is faulty: {loaded.issues[0]}")
    return SimulatedDesk(
        dealer=_dealer(desk, group),
        group=group,
        client=client,
        suspense=suspense,
        listings=listings,
        sessions={adapter: _session(adapter) for adapter in adapters},
    )


def _listing(market: Market, ticks: TickTable, divisor: int, isin: str) -> Listing:
    instrument = Instrument.objects.create(id=new_id(), isin=isin, name=f"Simulated share {divisor}")
    listing = Listing.objects.create(
        id=new_id(),
        instrument=instrument,
        market=market,
        symbol=f"SIM{divisor}",
        currency="GBP",
        price_unit="GBP" if divisor == 1 else "GBX",
        price_divisor=divisor,
        tick_table=ticks,
        venue_symbol=f"SIM{divisor}",
    )
    prices = {"last": REFERENCE_PX, "previous_close": REFERENCE_PX, "source": NAME, "priced_at": START}
    ReferencePrice.objects.create(listing=listing, **prices)
    return listing


def _open(code: str, client: Client, group: AccountGroup, instruments: list[UUID]) -> TradingAccount:
    actor = process_principal(NAME)
    account = open_account(
        actor=actor,
        at=START,
        business_date=FIRST_DAY,
        code=code,
        name=code,
        client=client,
        group=group,
        base_currency="GBP",
        short_allowed=True,
    )
    funds = [Deposit(account.id, OPENING_CASH, currency="GBP")]
    funds += [Deposit(account.id, OPENING_STOCK, instrument_id=one) for one in instruments]
    deposit(actor=actor, at=START, business_date=FIRST_DAY, deposits=funds, kind="opening")
    for divisor, one in enumerate(instruments):
        record_locate(
            actor=actor, at=START, account_id=account.id, instrument_id=one, ref=f"{LOCATED}{divisor}", qty=OPENING_STOCK,
            lender=NAME, expires_at=START + timedelta(days=3650),
        )  # fmt: skip
    return account


def _session(adapter: str) -> FixSession:
    venue = Venue.objects.create(code=f"S-{adapter}"[:16], name=adapter, adapter=adapter)
    return FixSession.objects.create(
        name=f"SIM-{adapter}",
        group=f"SIM-{adapter}",
        venue=venue,
        begin_string=adapter_named(adapter).capabilities.begin_string,
        sender_comp_id="OMS",
        target_comp_id=f"VENUE-{adapter}",
        port=1,
        state=FixSession.State.LOGGED_ON,
    )


def _wide_limits() -> None:
    """Limits that no seed reaches, and trading as if it had been switched on."""
    for kind, currency in (("order_qty", ""), ("order_notional", "GBP"), ("price_collar", ""), ("price_age", "")):
        wide = {"warn": FAR, "hard": FAR, "owner": NAME}
        Limit.objects.update_or_create(scope="firm", scope_id="", kind=kind, currency=currency, defaults=wide)
    # Counted without a mark: what orders add up to is proven under disorder as well.
    start_counting(keys=["firm:"], at=START)
    set_open_rulebook(owner=NAME)
    Block.objects.filter(lifted_at__isnull=True).update(lifted_at=START)
    if not Block.objects.filter(source="trading_switch").exists():
        Block.objects.create(
            id=new_id(),
            scope="firm",
            source="trading_switch",
            reason=NAME,
            imposed_by=NAME,
            imposed_at=START,
            lifted_at=START,
        )


def _dealer(desk: Desk, group: AccountGroup) -> Principal:
    user = User.objects.create(username="simulated-dealer", desk=desk)
    role, _ = Group.objects.get_or_create(name=NAME)
    role.permissions.add(_permission(Order, "enter_order"))
    for right, thing in (("desk", desk), ("accountgroup", group)):
        for word in ("view", "trade"):
            GroupObjectPermission.objects.create(
                permission=_permission(type(thing), f"{word}_{right}"),
                content_type=ContentType.objects.get_for_model(thing),
                object_pk=str(thing.pk),
                group=role,
            )
    user.groups.add(role)
    return get_principal(user)


def _permission(model: type[models.Model], codename: str) -> Permission:
    return Permission.objects.get(content_type=ContentType.objects.get_for_model(model), codename=codename)
