"""Facts about an order that exists: for a replace, and for the second run of the checks when somebody approves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from accounts.domain.arithmetic import HoldAmounts
from accounts.domain.ledger import AccountMoney
from accounts.models import TradingAccount
from accounts.selectors import list_holds, overdrawn_accounts
from authorisation.domain.principal import Principal
from kernel.numbers import ZERO
from orders.domain.assembling import order_facts, working_of
from orders.domain.charging import kept_fees
from orders.domain.peers import PeersAsked
from orders.domain.transitions import ENDED_BY_US
from orders.domain.venue_rules import rules_from_json
from orders.locks import read_peers
from orders.models import Order, OrderRequest
from orders.permissions import operator_facts
from orders.services._borrowing import read_locate
from orders.services._usage import usage_of_order
from refdata.selectors import get_listing
from risk.domain.charge_facts import ChargeFacts
from risk.domain.conduct import ConductFacts
from risk.domain.facts import AccountFacts, Facts, TermFacts, WorkingFacts
from risk.domain.rates import Rates
from risk.models import Scope
from risk.rulebook import get_rulebook
from risk.selectors import Scopes, get_marks
from risk.selectors.rates import get_rates

IN_FLIGHT = (
    OrderRequest.State.PENDING_AUTHORISATION,
    OrderRequest.State.RELEASED,
    OrderRequest.State.HANDED_OVER,
    OrderRequest.State.UNKNOWN,
)


def own_hold(order: Order) -> HoldAmounts:
    """What the order holds now, as accounts keeps it."""
    holds = list_holds([order.id])
    return HoldAmounts(holds[0].cash, holds[0].stock) if holds else HoldAmounts()


def facts_of_order(
    order: Order,
    requests: Sequence[OrderRequest],
    *,
    maker: Principal,
    at: datetime,
    terms: TermFacts,
    money: AccountMoney,
    replacing: bool,
    changed: frozenset[str] = frozenset(),
    but: OrderRequest | None = None,
    locked: bool = True,
) -> Facts:
    """The world as the request meets it now, the order's own hold given back.

    ``changed`` are the terms a replace changes; ``but`` is the request being judged. ``locked`` is false for a preview.
    """
    accounts = TradingAccount.objects.select_related("client", "group").annotate(overdrawn=overdrawn_accounts())
    account = accounts.get(id=order.account_id)
    listing = get_listing(order.listing_id, at=at)
    scopes = Scopes(
        desk_id=order.desk_id,
        dealer_id=maker.user_id,
        client_id=account.client_id,
        account_id=account.id,
        instrument_id=listing.instrument_id,
        mic=listing.mic,
        strategy=order.strategy,
    )
    # A mark on a dealer bounds the order's owner, whose usage it is, and whoever changes it.
    pairs = sorted({*scopes.pairs(), (Scope.DEALER.value, str(order.owner_id))})
    marks = get_marks(pairs, at=at)
    held = own_hold(order)
    cash = money.cash.get(listing.currency)
    holding = money.holdings.get(listing.instrument_id)
    back = HoldAmounts() if replacing else held  # a replace gives its hold back through ``working``
    return order_facts(
        at=at,
        operator=operator_facts(maker, desk_id=order.desk_id, group_id=account.group_id),
        account=AccountFacts(
            account.id, account.code, account.state, account.short_allowed, account.client.active, account.overdrawn,
            account.opens_currencies,
        ),
        listing=listing,
        terms=terms,
        cash_available=cash.available + back.cash if cash else None,
        stock_available=max(holding.available - holding.short, ZERO) + back.stock if holding else None,
        trading_on=marks.trading_on,
        limits=marks.limits,
        blocks=marks.blocks,
        working=_working(order, requests, held, changed, but) if replacing else None,
        locate=read_locate(account.id, terms, own=order.id),
        usage=usage_of_order(
            order,
            requests,
            pairs=pairs,
            limits=marks.limits,
            listing=listing,
            at=at,
            beside=replacing or but is None,
            but=but,
            locked=locked,
        ),
        rates=_rates(maker, order, replacing=replacing and but is None, at=at),
        conduct=_conduct(order, terms, account, scopes, replacing=replacing, at=at),
        charges=ChargeFacts(kept_fees(order.fees).terms),
    )  # fmt: skip


def _conduct(
    order: Order, terms: TermFacts, account: TradingAccount, scopes: Scopes, *, replacing: bool, at: datetime
) -> ConductFacts:
    """The rulebook and the order's peers of now; a replace has no twins."""
    asked = PeersAsked(
        account_id=account.id,
        client_id=account.client_id,
        listing_id=order.listing_id,
        side=terms.side.value,
        ord_type=terms.ord_type.value,
        qty=None if replacing else terms.order_qty,
        px=terms.price,
        but=order.id,
    )
    (peers,) = read_peers([asked], at=at)
    return ConductFacts(
        rulebook=get_rulebook(),
        pairs=tuple(scopes.pairs()),
        source=order.source,
        strategy=order.strategy,
        twins=peers.twins,
        opposite=peers.opposite,
    )


def _working(
    order: Order,
    requests: Sequence[OrderRequest],
    held: HoldAmounts,
    changed: frozenset[str],
    but: OrderRequest | None,
) -> WorkingFacts:
    """The order a replace is about, with what else was asked of it."""
    others = [item for item in requests if item.kind != OrderRequest.Kind.NEW and item is not but]
    return working_of(
        order,
        cash=held.cash,
        stock=held.stock,
        replaces_open=sum(r.kind == OrderRequest.Kind.REPLACE and r.state in IN_FLIGHT for r in others),
        rules=rules_from_json(order.venue_rules).replace,
        changed=changed,
        told_at=tuple(r.released_at for r in others if r.released_at and r.state not in ENDED_BY_US),
    )


def _rates(maker: Principal, order: Order, *, replacing: bool, at: datetime) -> Rates:
    """The buckets of a replace that is asked for now; what a person decides about was counted when it was asked for."""
    read = get_rates(source=maker.actor, account_ids=[order.account_id], at=at)[order.account_id]
    return read if replacing else Rates(replace(read.source, ahead_us=0), replace(read.account, ahead_us=0))
