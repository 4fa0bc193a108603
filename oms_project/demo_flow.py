"""The living flow of the demo: some orders a second, entered by the demo dealers through the real capture service.

Nothing is faked past the venue: what happens to an order is what the venue says. Bounded: at most ``MAX_OPEN`` open
orders of its own (the oldest are canceled), none for a second person while ``MAX_PENDING`` wait, nothing at all while it
is paused, trading is off, or the venue's session or price feed is silent.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from random import Random
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Exists, F, OuterRef, QuerySet

from accounts.models import CashBalance, Holding, TradingAccount
from allocations.models import WashAccount
from authorisation.domain.principal import ENTER_ORDER, TRADE_ACCOUNT_GROUP, Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest, User
from authorisation.selectors import get_principal
from kernel.clock import utc_now
from kernel.errors import OmsError, Refused
from kernel.fix import OrdStatus, OrdType, Side
from kernel.ids import new_id
from kernel.numbers import ZERO
from oms_project.demo_blocks import Blocks
from oms_project.seed.flow_terms import amended_terms, new_terms
from oms_project.seed.people import PEOPLE, TRADING_ROLES
from operations.services.pause_flow import is_paused
from orders.models import Order, OrderRequest
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.replace_order import replace_order
from refdata.models import Listing
from refdata.selectors import find_listing
from risk.selectors import trading_is_on
from venues.models import FixSession

logger = logging.getLogger(__name__)

ROUTE = "demo_flow"
SOURCE = "flow"
MAX_OPEN = 120
MAX_PENDING = 30
SURVEY_EVERY_S = 2.0
PRICE_LIFE_S = 10
SETBACK_S = 1.0
AMEND_SHARE, CANCEL_SHARE = 0.14, 0.30
DEFAULT_RATE = 2.0
WORKING = (OrdStatus.NEW.value, OrdStatus.PARTIALLY_FILLED.value)
UNANSWERED = (
    OrderRequest.State.CAPTURED,
    OrderRequest.State.PENDING_AUTHORISATION,
    OrderRequest.State.RELEASED,
    OrderRequest.State.HANDED_OVER,
    OrderRequest.State.UNKNOWN,
)


@dataclass(frozen=True, slots=True)
class Book:
    """An account the flow trades: who may, and the listings of the markets of its currency."""

    account: TradingAccount
    traders: tuple[Principal, ...]
    listings: tuple[Listing, ...]


@dataclass(slots=True)
class Flow:
    """What one run of the flow knows: books, chance, and the state of the house at the last survey."""

    random: Random
    books: tuple[Book, ...] = ()
    traders: dict[int, Principal] = field(default_factory=dict)
    open_mics: frozenset[str] = frozenset()
    may_trade: bool = False
    allow_large: bool = False


def run(stop: threading.Event, rate: float | None = None) -> None:
    """Enter ``rate`` orders a second (``OMS_FLOW_RATE``, else 2) until ``stop``; a lost database is waited out.

    Raises Refused (DEMO_FLOW_IN_LIVE) in live mode.
    """
    if settings.MODE == "live":
        raise Refused("DEMO_FLOW_IN_LIVE", "The demo flow never runs in live mode.")
    pace = rate if rate is not None else float(os.environ.get("OMS_FLOW_RATE") or DEFAULT_RATE)
    flow = Flow(random=Random())  # noqa: S311 - a market to play with, not a secret
    blocks = Blocks(flow.random)
    survey_due = step_due = 0.0
    try:
        while not stop.is_set():
            try:
                now = time.monotonic()
                if now >= survey_due:
                    survey(flow, at=utc_now())
                    survey_due = now + SURVEY_EVERY_S
                live = flow.may_trade and pace > 0 and not is_paused()
                if live and not enter_a_block(flow, blocks, at=utc_now()):
                    step(flow, at=utc_now())
            except (OperationalError, InterfaceError) as error:
                logger.warning("the flow waits for the database: %s", error)
                connection.close()
                stop.wait(SETBACK_S)
            now = time.monotonic()
            step_due = max(step_due, now - SETBACK_S) + (flow.random.expovariate(pace) if pace > 0 else SURVEY_EVERY_S)
            stop.wait(max(step_due - now, 0))
    finally:
        connection.close()


def survey(flow: Flow, *, at: datetime) -> None:
    """See what changed: people and accounts, sessions, the switch, what waits; cancel what is too much."""
    flow.traders = {
        user.pk: get_principal(user)
        for user in User.objects.filter(
            is_active=True, username__in=[plan.username for plan in PEOPLE if plan.persona in TRADING_ROLES]
        )
    }
    flow.books = _books(tuple(trader for trader in flow.traders.values() if ENTER_ORDER in trader.rights))
    sessions = FixSession.objects.filter(state=FixSession.State.LOGGED_ON, enabled=True, venue__enabled=True)
    flow.open_mics = frozenset(mic for mic in sessions.values_list("venue__markets__mic", flat=True) if mic)
    flow.may_trade = bool(flow.books) and bool(flow.open_mics) and trading_is_on()
    pending = AuthorisationRequest.objects.filter(state__in=OPEN)
    flow.allow_large = pending.count() < MAX_PENDING
    if flow.may_trade and not is_paused():
        _cancel_surplus(flow, at=at)


def step(flow: Flow, *, at: datetime) -> None:
    """One action: a new order, an amend or a cancel. A refusal is part of life; it is kept by the house, not by us."""
    chance = flow.random.random()
    try:
        if chance < AMEND_SHARE:
            _amend(flow, at=at)
        elif chance < CANCEL_SHARE:
            _cancel(flow, at=at)
        else:
            _enter(flow, at=at)
    except OmsError as error:
        logger.info("the flow was told: %s", error)


def enter_a_block(flow: Flow, blocks: Blocks, *, at: datetime) -> bool:
    """A block order if one is due; whether it was entered."""
    try:
        return blocks.step(tuple(flow.traders.values()), flow.open_mics, at=at)
    except OmsError as error:
        logger.info("the flow was told: %s", error)
        return False


def _books(traders: Sequence[Principal]) -> tuple[Book, ...]:
    listings: dict[str, list[Listing]] = {}
    for listing in Listing.objects.filter(state=Listing.State.TRADING, instrument__active=True).order_by("symbol"):
        listings.setdefault(listing.currency, []).append(listing)
    books = []
    firms = WashAccount.objects.values("account_id")  # blocks have a flow of their own
    active = TradingAccount.objects.filter(state=TradingAccount.State.ACTIVE).exclude(pk__in=firms)
    for account in active.order_by("code"):
        may = tuple(trader for trader in traders if account.group_id in trader.granted(TRADE_ACCOUNT_GROUP))
        if may:
            books.append(Book(account, may, tuple(listings.get(account.base_currency, ()))))
    return tuple(books)


def _enter(flow: Flow, *, at: datetime) -> None:
    book = flow.random.choice(flow.books)
    here = [listing for listing in book.listings if listing.market_id in flow.open_mics]
    if not here:
        return
    if flow.random.random() < 0.5:
        side, choice, available = Side.BUY, flow.random.choice(here), _cash(book.account)
    else:
        held = _stock(book.account)
        sellable = [listing for listing in here if held.get(listing.instrument_id, ZERO) > ZERO]
        if not sellable:
            return
        side, choice = Side.SELL, flow.random.choice(sellable)
        available = held[choice.instrument_id]
    facts = find_listing(choice.id, at=at)
    if facts is None or facts.price is None or facts.price.age_s(at) > PRICE_LIFE_S:
        return
    terms = new_terms(
        flow.random,
        account=book.account.code,
        listing=facts,
        side=side,
        available=available,
        allow_large=flow.allow_large,
    )
    if terms is not None:
        capture_order(
            actor=flow.random.choice(book.traders),
            at=at,
            idempotency_key=str(new_id()),
            route=ROUTE,
            terms=terms,
            source=SOURCE,
        )


def _cash(account: TradingAccount) -> Decimal:
    """Cash to trade in the base currency."""
    row = CashBalance.objects.filter(account=account, currency=account.base_currency).first()
    return max(row.settled + row.pending - row.reserved, ZERO) if row else ZERO


def _stock(account: TradingAccount) -> dict[UUID, Decimal]:
    """Units to trade by instrument."""
    rows = Holding.objects.filter(account=account, settled__gt=F("reserved") - F("pending"))
    return {row.instrument_id: row.settled + row.pending - row.reserved for row in rows}


def _working(flow: Flow) -> QuerySet[Order]:
    """The flow's own orders that the venue works and nobody is asking anything about."""
    asking = OrderRequest.objects.filter(order=OuterRef("pk"), state__in=UNANSWERED).exclude(kind=OrderRequest.Kind.NEW)
    rows = Order.objects.filter(is_open=True, source=SOURCE, ord_status__in=WORKING, owner_id__in=flow.traders)
    return rows.filter(~Exists(asking))


def _pick(flow: Flow, *, amendable: bool) -> Order | None:
    """One of them by chance."""
    rows = _working(flow)
    if amendable:
        rows = rows.filter(ord_type=OrdType.LIMIT.value, price__isnull=False, max_floor__isnull=True)
    chosen = list(rows.order_by("-id")[:MAX_OPEN])
    return flow.random.choice(chosen) if chosen else None


def _amend(flow: Flow, *, at: datetime) -> None:
    order = _pick(flow, amendable=True)
    if order is None or order.price is None or order.order_qty is None:
        return
    facts = find_listing(order.listing_id, at=at)
    if facts is None or facts.mic not in flow.open_mics:
        return
    terms = amended_terms(
        flow.random,
        side=Side(order.side),
        ticks=facts.ticks,
        lot_size=facts.lot_size,
        order_qty=order.order_qty,
        price=order.price,
    )
    if terms.order_qty is None or terms.order_qty > order.cum_qty:
        replace_order(
            actor=flow.traders[order.owner_id],
            at=at,
            idempotency_key=str(new_id()),
            route=ROUTE,
            order_id=order.id,
            terms=terms,
            reason="demo flow",
        )


def _cancel(flow: Flow, *, at: datetime) -> None:
    order = _pick(flow, amendable=False)
    if order is not None:
        _send_cancel(flow, order, at=at)


def _cancel_surplus(flow: Flow, *, at: datetime) -> None:
    """Cancel the oldest orders above the bound, a few at a time."""
    rows = _working(flow)
    surplus = rows.count() - MAX_OPEN
    for order in rows.order_by("id")[: min(max(surplus, 0), 10)]:
        try:
            _send_cancel(flow, order, at=at)
        except OmsError as error:
            logger.info("the flow was told: %s", error)


def _send_cancel(flow: Flow, order: Order, *, at: datetime) -> None:
    cancel_order(
        actor=flow.traders[order.owner_id],
        at=at,
        idempotency_key=str(new_id()),
        route=ROUTE,
        order_id=order.id,
        reason="demo flow",
    )
