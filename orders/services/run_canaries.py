"""Prove every control by orders that it must refuse. What comes of it is evidence; while one control sleeps the firm does not trade.

Twice: each control on the facts of a canary's order as they are now with one thing wrong (``risk.domain.canaries``), and,
where an order alone can be wrong, as a real order through the door. A canary that is not refused is a real order on an account
that no gateway has a session for: it is told as critical there and goes nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from accounts.models import TradingAccount
from accounts.services.open_canary import open_canary
from authorisation.domain.principal import ENTER_ORDER, TRADE_ACCOUNT_GROUP, TRADE_DESK, Principal
from authorisation.models import User
from kernel.errors import OmsError
from kernel.fix import OrdType, Side, TimeInForce
from kernel.ids import new_id
from orders.domain.results import REFUSED
from orders.domain.terms import OrderTerms
from orders.locks import read_world
from orders.services._capturing import Submission, capture_facts, require_listing
from orders.services._usage import usage_of_world
from orders.services.capture_order import capture_order
from refdata.domain.listing_facts import ListingFacts
from refdata.models import Listing
from refdata.selectors import find_listings
from risk.domain.canaries import AT_THE_DOOR, CANARIES, is_caught, judge_canary
from risk.domain.facts import Facts
from risk.services.record_canaries import CanaryResult, record_canaries

SOURCE = ROUTE = "canary"


@dataclass(frozen=True, slots=True)
class CanaryRun:
    """What each canary came to; ``ran`` is False in a house that has nothing to trade yet."""

    results: tuple[CanaryResult, ...]
    ran: bool = True

    @property
    def escaped(self) -> tuple[CanaryResult, ...]:
        """Those that their control let pass."""
        return tuple(result for result in self.results if not result.caught)


def run_canaries(*, at: datetime) -> CanaryRun:
    """Every canary, and the record of it: event, matters, and the block while one escapes."""
    listing = _a_listing(at)
    if listing is None:
        return CanaryRun((), ran=False)
    account = open_canary(at=at, business_date=listing.business_date, base_currency=listing.currency)
    actor = _canary(account)
    facts = _facts(actor, at, _order(account, listing))
    results = [_on_facts(code, facts) for code in CANARIES]
    results += [_at_the_door(code, actor, at, account, listing) for code in AT_THE_DOOR]
    with transaction.atomic():
        record_canaries(results=results, at=at)
    return CanaryRun(tuple(results))


def _a_listing(at: datetime) -> ListingFacts | None:
    """One that trades; its facts are the day's."""
    found = Listing.objects.filter(state="trading", instrument__active=True).order_by("symbol", "id").first()
    return find_listings([found.pk], at=at)[found.pk] if found is not None else None


def _canary(account: TradingAccount) -> Principal:
    """The canaries' own user, who has no password, no key and no role; here alone it may enter orders, for its account."""
    user, made = User.objects.get_or_create(
        username="canary", defaults={"persona": User.Persona.SERVICE, "kind": User.Kind.SERVICE}
    )
    if made:
        user.set_unusable_password()  # nobody signs in as it
        user.save()
    return Principal(
        user_id=user.pk,
        username=user.username,
        actor="process:canary",
        persona="process",
        rights=frozenset({ENTER_ORDER}),
        grants={
            TRADE_DESK: frozenset({account.group.desk_id}),
            TRADE_ACCOUNT_GROUP: frozenset({account.group_id}),
        },
    )


def _order(account: TradingAccount, listing: ListingFacts, **wrong: Any) -> OrderTerms:
    """A limit order for one lot at the last price, but for what is wrong with it."""
    last = listing.price.last if listing.price is not None else Decimal(1)
    times = Decimal(wrong.pop("price_times", 1))
    values: dict[str, Any] = {
        "account": account.code,
        "symbol": listing.symbol,
        "side": Side.BUY,
        "ord_type": OrdType.LIMIT,
        "time_in_force": TimeInForce.DAY,
        "order_qty": max(listing.lot_size, Decimal(1)),
        "price": last * times,
    }
    return OrderTerms(**(values | wrong))


def _facts(actor: Principal, at: datetime, terms: OrderTerms) -> Facts:
    """The world as the canary's order meets it now, as a preview reads it."""
    world = read_world(terms=terms, dealer_id=actor.user_id, source=actor.actor, at=at)
    listing = require_listing(world.listing, symbol=terms.symbol)
    assert world.account is not None
    usage = usage_of_world(world, listing, world.account, at=at)
    return capture_facts(Submission(actor, at, terms, SOURCE), listing, world, world.account, usage)


def _on_facts(code: str, facts: Facts) -> CanaryResult:
    answer = judge_canary(code, facts)
    return CanaryResult(code, "facts", is_caught(answer), answer.verdict.word, answer.sentence)


def _at_the_door(
    code: str, actor: Principal, at: datetime, account: TradingAccount, listing: ListingFacts
) -> CanaryResult:
    """A real order. Its control must be among those that did not let it pass, and it must end refused."""
    try:
        result = capture_order(
            actor=actor, at=at, idempotency_key=f"{SOURCE}:{new_id()}", route=ROUTE,
            terms=_order(account, listing, **AT_THE_DOOR[code]), source=SOURCE,
        )  # fmt: skip
    except OmsError as error:
        return CanaryResult(code, "order", False, error.code, f"It could not be captured: {error.sentence}")
    own = next(answer for answer in result.checks if answer.code == code)
    caught = result.outcome == REFUSED and is_caught(own)
    return CanaryResult(code, "order", caught, own.verdict.word, own.sentence or result.sentence, result.ref)
