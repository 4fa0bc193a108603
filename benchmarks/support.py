"""A desk to measure on: ample cash, wide limits, a fresh price, a service account with a token."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from authorisation.domain.principal import Principal, process_principal
from authorisation.models import ApiKey, User
from kernel.clock import utc_now
from kernel.ids import new_id
from risk.domain.rates import RateKind, RateMark
from risk.models import Limit
from risk.services.set_rate_mark import set_rate_mark
from tests.factories import DeskWorld, make_desk, make_principal, set_price


@dataclass(frozen=True)
class BenchDesk:
    """The world, the bearer token of its service account, and a valid order body for the API."""

    world: DeskWorld
    token: str
    order_body: dict[str, Any]


def build_desk() -> BenchDesk:
    """One desk, one account with a billion in cash, one listing priced a moment ahead so that it stays fresh."""
    world = make_desk(cash="1000000000")
    wide_limits()
    wide_rates()
    set_price(world.listing, "72.50", at=utc_now() + timedelta(seconds=1))
    service = make_principal(
        "bench-service",
        role="service",
        rights=("enter_order",),
        desks=(world.desk,),
        groups=(world.group,),
        kind=User.Kind.SERVICE,
        persona="service",
    )
    token = issue_token(service)
    body = {
        "account": world.account.code,
        "symbol": world.listing.symbol,
        "side": "buy",
        "ord_type": "limit",
        "order_qty": "100",
        "price": "72.50",
    }
    return BenchDesk(world, token, body)


def issue_token(service: Principal) -> str:
    """The bearer token of a key that a service account may use for all of its rights."""
    token = secrets.token_urlsafe(32)
    ApiKey.objects.create(
        id=new_id(),
        user_id=service.user_id,
        name="bench",
        prefix=token[:8],
        digest=hashlib.sha256(token.encode()).hexdigest(),
        created_at=utc_now(),
    )
    return token


def wide_limits() -> None:
    """Prices that stay fresh for a day, so that a benchmark may take its time."""
    Limit.objects.filter(kind="price_age").update(warn=Decimal(86_400), hard=Decimal(172_800))


def wide_rates() -> None:
    """One source may send as many as a benchmark does. A session's own rate stays what it is: it is part of what is measured."""
    at = utc_now()
    for kind in (RateKind.USER, RateKind.KEY, RateKind.ACCOUNT, RateKind.EXECUTIONS):
        mark = RateMark(kind, amount=100_000, seconds=1, burst=0 if kind is RateKind.EXECUTIONS else 100_000)
        actor = process_principal("bench")
        set_rate_mark(actor=actor, at=at, mark=mark, effective_from=at, set_by="bench", reason="benchmark")
