"""Demo limits: of the firm, the two desks and two accounts that are kept on a short lead."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from accounts.models import TradingAccount
from authorisation.models import Desk
from risk.models import Limit, Scope

CURRENCIES = ("GBP", "EUR", "USD", "AUD")
OWNER = "m.ruiz"
FIRM_VALUE = (Decimal(25_000), Decimal(2_000_000))
FIRM_QTY = (Decimal(250_000), Decimal(2_000_000))
DESK_VALUE = {"EQ1": Decimal(1_500_000), "EQ2": Decimal(1_000_000)}
ACCOUNT_VALUE = {"AC4474": Decimal(100_000), "AC4495": Decimal(75_000)}
COLLAR = (Decimal("0.05"), Decimal("0.20"))
PRICE_AGE_S = (Decimal(15), Decimal(3600))


def seed_limits(*, at: datetime) -> int:
    """Set every limit that does not exist yet; what people changed since stays theirs. Returns how many were set."""
    wanted = [
        (Scope.FIRM, "", Limit.Kind.ORDER_QTY, "", *FIRM_QTY),
        (Scope.FIRM, "", Limit.Kind.PRICE_COLLAR, "", *COLLAR),
        (Scope.FIRM, "", Limit.Kind.PRICE_AGE, "", *PRICE_AGE_S),
    ]
    desks = {desk.code: str(desk.pk) for desk in Desk.objects.all()}
    accounts = dict(TradingAccount.objects.filter(code__in=ACCOUNT_VALUE).values_list("code", "id"))
    for currency in CURRENCIES:
        wanted.append((Scope.FIRM, "", Limit.Kind.ORDER_NOTIONAL, currency, *FIRM_VALUE))
        for code, hard in DESK_VALUE.items():
            wanted.append((Scope.DESK, desks[code], Limit.Kind.ORDER_NOTIONAL, currency, FIRM_VALUE[0], hard))
        for code, hard in ACCOUNT_VALUE.items():
            scope_id = str(accounts[code])
            wanted.append((Scope.ACCOUNT, scope_id, Limit.Kind.ORDER_NOTIONAL, currency, FIRM_VALUE[0], hard))
    made = 0
    for scope, scope_id, kind, currency, warn, hard in wanted:
        _, fresh = Limit.objects.get_or_create(
            scope=scope,
            scope_id=scope_id,
            kind=kind,
            currency=currency,
            defaults={"warn": warn, "hard": hard, "owner": OWNER},
        )
        made += fresh
    return made
