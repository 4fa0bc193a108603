"""Two desks that a chain of trades is played on: each with a wash account and three clients, one with a short seller beside; three
markets, the firm's own accounts, their people."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from accounts.models import CashBalance, Client, SuspenseAccount, TradingAccount
from accounts.services.deposit import Deposit, deposit
from accounts.services.open_account import open_account
from allocations.domain.confirm_rules import read_change
from allocations.domain.standing import StandingTerms
from allocations.models import WashAccount
from allocations.services.set_first_confirm_rules import set_first_confirm_rules
from allocations.services.set_standing_instructions import Setting, set_standing_instructions
from kernel.ids import new_id
from refdata.models import Listing
from risk.models import Limit
from tests.factories import (
    AT,
    DeskWorld,
    charge_as_published,
    make_desk,
    make_listing,
    make_market,
    make_principal,
    set_limits,
)
from tests.factories.accounts import located
from tests.factories.actions import clerk
from tests.factories.chain import CLIENTS, HOUSE, MARKETS, SECOND_CLIENTS, SHORT, Chain
from tests.factories.chain_parts import Team

D = Decimal


def chain_world() -> Chain:
    """A wash account and three clients with money and stock in three currencies, a suspense account, standing instructions."""
    desk = make_desk(cash="0")
    charge_as_published()
    TradingAccount.objects.filter(pk=desk.account.pk).update(account_class="block")
    CashBalance.objects.filter(account=desk.account).delete()
    TradingAccount.objects.filter(pk=desk.account.pk).delete()
    listings = {"VOD.L": desk.listing}
    zones = {"XNYS": ("US", "America/New_York", "US", 1), "XTKS": ("JP", "Asia/Tokyo", "JP", 2)}
    for symbol, (mic, currency, last) in MARKETS.items():
        if mic in zones:
            country, zone, calendar, days = zones[mic]
            market = make_market(
                mic, currency, country=country, time_zone=zone, settlement_calendar=calendar, settlement_days=days
            )
            listings[symbol] = make_listing(symbol, last=last, price_unit=currency, market=market)
            set_limits(currency)
    Limit.objects.filter(currency="JPY").update(warn=D(40_000_000), hard=D(80_000_000))
    accounts = {}
    other = make_desk("EQ2", cash="0")
    CashBalance.objects.filter(account=other.account).delete()
    TradingAccount.objects.filter(pk=other.account.pk).delete()
    for code in ("WASH", "ROUND", "ERROR", "SUSPENSE", SHORT, *CLIENTS):
        accounts[code] = _opened(desk, code, listings)
    for code in ("WASH-2", *SECOND_CLIENTS):
        accounts[code] = _opened(other, code, listings)
    TradingAccount.objects.filter(code=SHORT).update(short_allowed=True)
    for symbol, listing in listings.items():
        located(accounts[SHORT], listing.instrument_id, "6000", ref=f"L-{symbol}")
    wash = WashAccount.objects.create(
        account=accounts["WASH"], desk=desk.desk, rounding_account=accounts["ROUND"], error_account=accounts["ERROR"]
    )
    wash_2 = WashAccount.objects.create(
        account=accounts["WASH-2"], desk=other.desk, rounding_account=accounts["ROUND"], error_account=accounts["ERROR"]
    )
    other.account = accounts["WASH-2"]
    SuspenseAccount.objects.create(desk=None, account=accounts["SUSPENSE"])
    desk.account = accounts["WASH"]
    ways = [
        StandingTerms(
            mic="", currency=currency, place="CRSTGB22", agent="CUSTGB2LXXX", safekeeping_account="SAFE-1",
            cash_account="CASH-1", effective_from=date(2026, 1, 1), effective_to=None, ended=False,
        )
        for currency in ("GBP", "USD", "JPY")
    ]  # fmt: skip
    set_standing_instructions(
        actor=HOUSE, at=AT,
        settings=[Setting(accounts[code].id, one, number) for code in (*CLIENTS, *SECOND_CLIENTS, SHORT)
                  for number, one in enumerate(ways, start=1)],
    )  # fmt: skip
    at_once = read_change("sending", {"leaves": "on_booking", "valid_from": "2000-01-01"})
    set_first_confirm_rules(actor=HOUSE, at=AT, changes=[at_once])
    people = {
        name: make_principal(
            name, role=name, rights=rights, desks=(desk.desk, other.desk), groups=(desk.group, other.group), trades=False, persona=persona
        )
        for name, rights, persona in (
            ("compliance", ("decide_allocation",), "compliance"), ("post_trade", ("work_post_trade",), "operations"),
        )
    }  # fmt: skip
    dealer = replace(desk.dealer, rights=desk.dealer.rights | {"allocate_block"})
    clerk(), clerk("second")
    dealer_2 = replace(other.dealer, rights=other.dealer.rights | {"allocate_block"})
    second = Team(other, wash_2, dealer_2, SECOND_CLIENTS)
    return Chain(desk, wash, accounts, listings, dealer, people["compliance"], people["post_trade"], second)


def _opened(desk: DeskWorld, code: str, listings: dict[str, Listing]) -> TradingAccount:
    client = Client.objects.create(id=new_id(), code=f"CL-{code}", name=code)
    account = open_account(
        actor=HOUSE, at=AT, business_date=AT.date(), code=code, name=code, client=client, group=desk.group,
        base_currency="GBP", opens_currencies=True, account_class="block" if code.startswith("WASH") else "standard",
    )  # fmt: skip
    money = {"GBP": "200000", "USD": "2000000", "JPY": "200000000"} if code != "SUSPENSE" else {}
    lines = [Deposit(account.id, D(amount), currency=currency) for currency, amount in money.items()]
    if code in ("WASH", *CLIENTS):
        lines += [Deposit(account.id, D(5000), instrument_id=one.instrument_id) for one in listings.values()]
    if lines:
        deposit(actor=HOUSE, at=AT, business_date=AT.date(), deposits=lines, kind="opening")
    return account
