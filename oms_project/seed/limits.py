"""Demo limits: of the firm, the two desks, two accounts that are kept on a short lead, and a busy instrument."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from accounts.models import TradingAccount
from authorisation.models import Desk
from refdata.models import Listing
from risk.domain.usage import COUNTED_KINDS, COUNTING_CURRENCY, usage_key
from risk.models import Limit, Scope
from risk.services.start_counting import start_counting

CURRENCIES = ("GBP", "EUR", "USD", "AUD")
OWNER = "m.ruiz"
FIRM_VALUE = (Decimal(25_000), Decimal(2_000_000))
FIRM_QTY = (Decimal(250_000), Decimal(2_000_000))
DESK_VALUE = {"EQ1": Decimal(1_500_000), "EQ2": Decimal(1_000_000)}
ACCOUNT_VALUE = {"AC4474": Decimal(100_000), "AC4495": Decimal(75_000)}
COLLAR = (Decimal("0.05"), Decimal("0.20"))
PRICE_AGE_S = (Decimal(15), Decimal(3600))
FIRM_OPEN = (Decimal(20_000_000), Decimal(25_000_000))
FIRM_GROSS = (Decimal(400_000_000), Decimal(500_000_000))
DESK_OPEN = (Decimal(12_000_000), Decimal(15_000_000))
DESK_ORDERS = (Decimal(4_000), Decimal(5_000))
DESK_NET = (Decimal(80_000_000), Decimal(100_000_000))
ACCOUNT_OPEN = (Decimal(400_000), Decimal(500_000))
POSITION_UNITS = (Decimal(4_000_000), Decimal(5_000_000))
INSTRUMENT_OPEN = {"VOD.L": (Decimal(2_000_000), Decimal(3_000_000))}

Wanted = tuple[str, str, str, str, Decimal, Decimal]


def seed_limits(*, at: datetime) -> int:
    """Set every limit that does not exist yet; what people changed since stays theirs. Returns how many were set."""
    made, counted = 0, set()
    for scope, scope_id, kind, currency, warn, hard in [*_order_limits(), *_usage_limits()]:
        _, fresh = Limit.objects.get_or_create(
            scope=scope,
            scope_id=scope_id,
            kind=kind,
            currency=currency,
            effective_from=None,
            defaults={"warn": warn, "hard": hard, "owner": OWNER},
        )
        made += fresh
        if kind in COUNTED_KINDS:
            counted.add(usage_key(scope, scope_id))
    start_counting(keys=counted, at=at)
    return made


def _order_limits() -> list[Wanted]:
    """What one order may be."""
    kinds = Limit.Kind
    wanted: list[Wanted] = [
        (Scope.FIRM, "", kinds.ORDER_QTY, "", *FIRM_QTY),
        (Scope.FIRM, "", kinds.PRICE_COLLAR, "", *COLLAR),
        (Scope.FIRM, "", kinds.PRICE_AGE, "", *PRICE_AGE_S),
    ]
    desks = {desk.code: str(desk.pk) for desk in Desk.objects.all()}
    accounts = dict(TradingAccount.objects.filter(code__in=ACCOUNT_VALUE).values_list("code", "id"))
    for currency in CURRENCIES:
        wanted.append((Scope.FIRM, "", kinds.ORDER_NOTIONAL, currency, *FIRM_VALUE))
        for code, hard in DESK_VALUE.items():
            wanted.append((Scope.DESK, desks[code], kinds.ORDER_NOTIONAL, currency, FIRM_VALUE[0], hard))
        for code, hard in ACCOUNT_VALUE.items():
            wanted.append((Scope.ACCOUNT, str(accounts[code]), kinds.ORDER_NOTIONAL, currency, FIRM_VALUE[0], hard))
    return wanted


def _usage_limits() -> list[Wanted]:
    """What a scope may have open and trade in a day, and what one account may hold of one instrument."""
    kinds, money = Limit.Kind, COUNTING_CURRENCY
    wanted: list[Wanted] = [
        (Scope.FIRM, "", kinds.OPEN_NOTIONAL, money, *FIRM_OPEN),
        (Scope.FIRM, "", kinds.DAILY_GROSS, money, *FIRM_GROSS),
        (Scope.FIRM, "", kinds.POSITION_QTY, "", *POSITION_UNITS),
    ]
    for desk in Desk.objects.filter(code__in=DESK_VALUE):
        wanted.append((Scope.DESK, str(desk.pk), kinds.OPEN_NOTIONAL, money, *DESK_OPEN))
        wanted.append((Scope.DESK, str(desk.pk), kinds.OPEN_ORDERS, "", *DESK_ORDERS))
        wanted.append((Scope.DESK, str(desk.pk), kinds.DAILY_NET, money, *DESK_NET))
    for account_id in TradingAccount.objects.filter(code__in=ACCOUNT_VALUE).values_list("id", flat=True):
        wanted.append((Scope.ACCOUNT, str(account_id), kinds.OPEN_NOTIONAL, money, *ACCOUNT_OPEN))
    for listing in Listing.objects.filter(symbol__in=INSTRUMENT_OPEN):
        marks = INSTRUMENT_OPEN[listing.symbol]
        wanted.append((Scope.INSTRUMENT, str(listing.instrument_id), kinds.OPEN_NOTIONAL, money, *marks))
    return wanted
