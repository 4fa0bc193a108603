"""Block orders of the demo: a few soon after the start, then a few an hour, each for several clients and said so before it trades.

Through the real doors: the order and the intention are one transaction, so no fill can come between. Bounded by time alone.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random

from django.db import transaction

from accounts.models import TradingAccount
from allocations.models import WashAccount
from allocations.permissions import ALLOCATE_BLOCK
from allocations.services.intend_allocation import intend_allocation
from authorisation.domain.principal import ENTER_ORDER, TRADE_ACCOUNT_GROUP, Principal
from kernel.fix import OrdType, Side
from kernel.ids import new_id
from orders.domain.results import PENDING_AUTHORISATION, REFUSED
from orders.domain.terms import OrderTerms
from orders.services.capture_order import capture_order
from refdata.models import Listing
from refdata.selectors import find_listing

ROUTE, SOURCE = "demo_blocks", "flow"
FIRST, FIRST_EVERY_S, LATER_EVERY_S = 5, 15.0, 600.0
WORTH = (Decimal(8_000), Decimal(18_000))
SHARES = (3, 6)
PRICE_LIFE_S = 10


@dataclass(slots=True)
class Blocks:
    """When the next block order is due, and how many there were."""

    random: Random
    entered: int = 0
    due: float = field(default_factory=lambda: time.monotonic() + FIRST_EVERY_S)

    def step(self, traders: tuple[Principal, ...], open_mics: frozenset[str], *, at: datetime) -> bool:
        """Enter one if it is time; whether one was."""
        if time.monotonic() < self.due:
            return False
        self.due = time.monotonic() + (FIRST_EVERY_S if self.entered < FIRST else LATER_EVERY_S)
        done = enter_block(self.random, traders, open_mics, at=at)
        self.entered += done
        return done


def enter_block(random: Random, traders: tuple[Principal, ...], open_mics: frozenset[str], *, at: datetime) -> bool:
    """Buy some stock for the clients of one desk; whether an order went out."""
    choice = _choice(random, traders, open_mics)
    if choice is None:
        return False
    trader, wash, listing = choice
    facts = find_listing(listing.id, at=at)
    if facts is None or facts.price is None or facts.price.age_s(at) > PRICE_LIFE_S:
        return False
    codes = _clients(random, wash)
    worth = Decimal(random.randint(*map(int, WORTH)))
    each = worth * listing.price_divisor / facts.price.last / len(codes) // listing.lot_size * listing.lot_size
    if each <= 0:
        return False
    terms = OrderTerms(
        account=wash.account.code, symbol=listing.symbol, side=Side.BUY, ord_type=OrdType.MARKET,
        order_qty=each * len(codes), strategy="blocks",
    )  # fmt: skip
    with transaction.atomic():
        entered = capture_order(
            actor=trader, at=at, idempotency_key=str(new_id()), route=ROUTE, terms=terms, source=SOURCE
        )
        if entered.outcome in (REFUSED, PENDING_AUTHORISATION):
            return False
        intend_allocation(
            actor=trader, at=at, order_id=entered.order_id, method="pro_rata",
            lines=[{"account": code, "target": str(each)} for code in codes],
        )  # fmt: skip
    return True


def _choice(
    random: Random, traders: tuple[Principal, ...], open_mics: frozenset[str]
) -> tuple[Principal, WashAccount, Listing] | None:
    found = []
    for wash in WashAccount.objects.select_related("account").order_by("account__code"):
        may = [
            one
            for one in traders
            if one.rights >= {ALLOCATE_BLOCK, ENTER_ORDER} and wash.account.group_id in one.granted(TRADE_ACCOUNT_GROUP)
        ]
        rows = Listing.objects.filter(
            state=Listing.State.TRADING,
            instrument__active=True,
            currency=wash.account.base_currency,
            market_id__in=open_mics,
        )
        if may and rows.exists():
            found.append((random.choice(may), wash, rows))
    if not found:
        return None
    trader, wash, rows = random.choice(found)
    return trader, wash, random.choice(list(rows.order_by("symbol")))


def _clients(random: Random, wash: WashAccount) -> list[str]:
    """Some of the clients the account's blocks are for."""
    rows = TradingAccount.objects.filter(
        group__code=wash.account.code.removeprefix("BLOCK-"), state=TradingAccount.State.ACTIVE
    )
    codes = list(rows.order_by("code").values_list("code", flat=True))
    return sorted(random.sample(codes, min(random.randint(*SHARES), len(codes))))
