"""Puts what was read into the ``Facts`` that checks judge. Pure; one way for capture, preview, replace and approval."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol

from kernel.fix import OrdType, Side, TimeInForce
from kernel.numbers import ZERO
from orders.domain.terms import OrderTerms
from orders.domain.venue_rules import NO_RULES
from refdata.domain.listing_facts import ListingFacts
from risk.domain.charge_facts import NO_CHARGES, ChargeFacts
from risk.domain.conduct import ConductFacts
from risk.domain.facts import (
    AccountFacts,
    Action,
    BlockFact,
    Facts,
    LimitFact,
    LocateFacts,
    OperatorFacts,
    ReplaceRules,
    TermFacts,
    WorkingFacts,
)
from risk.domain.rates import Rates
from risk.domain.usage import NO_USAGE, UsageFacts

DESK_SOURCES = frozenset({"ticket"})
"""Doors where a dealer sits in front of a question and can acknowledge it."""


def term_facts(terms: OrderTerms) -> TermFacts:
    """The terms of a new order as checks read them."""
    return TermFacts(
        side=terms.side,
        ord_type=terms.ord_type,
        time_in_force=terms.time_in_force,
        order_qty=terms.order_qty,
        price=terms.price,
        stop_px=terms.stop_px,
        min_qty=terms.min_qty,
        max_floor=terms.max_floor,
        expire_at=terms.expire_at,
        expire_date=terms.expire_date,
        locate_ref=terms.locate_ref,
    )


class Working(Protocol):
    """The working terms of an order, whatever row they come in."""

    @property
    def order_qty(self) -> Decimal | None: ...
    @property
    def cum_qty(self) -> Decimal: ...
    @property
    def price(self) -> Decimal | None: ...
    @property
    def stop_px(self) -> Decimal | None: ...
    @property
    def time_in_force(self) -> str: ...


def working_of(
    row: Working,
    *,
    cash: Decimal = ZERO,
    stock: Decimal = ZERO,
    replaces_open: int = 0,
    rules: ReplaceRules = NO_RULES.replace,
    changed: frozenset[str] = frozenset(),
    told_at: tuple[datetime, ...] = (),
) -> WorkingFacts:
    """The order a replace is about; ``cash`` and ``stock`` are what it holds now."""
    return WorkingFacts(
        order_qty=row.order_qty if row.order_qty is not None else ZERO,
        cum_qty=row.cum_qty,
        price=row.price,
        stop_px=row.stop_px,
        time_in_force=TimeInForce(row.time_in_force),
        reserved_cash=cash,
        reserved_stock=stock,
        replaces_open=replaces_open,
        rules=rules,
        changed=changed,
        told_at=told_at,
    )


def terms_of_payload(payload: Mapping[str, Any]) -> TermFacts:
    """The terms of a stored request (the normalised message: whole terms, decimals and times as text)."""
    expire_at, expire_date = payload.get("expire_at"), payload.get("expire_date")
    return TermFacts(
        side=Side(payload["side"]),
        ord_type=OrdType(payload["ord_type"]),
        time_in_force=TimeInForce(payload["time_in_force"]),
        order_qty=Decimal(payload["order_qty"]),
        price=_number(payload.get("price")),
        stop_px=_number(payload.get("stop_px")),
        min_qty=_number(payload.get("min_qty")),
        max_floor=_number(payload.get("max_floor")),
        expire_at=datetime.fromisoformat(expire_at) if expire_at else None,
        expire_date=date.fromisoformat(expire_date) if expire_date else None,
        locate_ref=payload.get("locate_ref") or "",
    )


def _number(text: str | None) -> Decimal | None:
    return Decimal(text) if text is not None else None


def order_facts(
    *,
    at: datetime,
    operator: OperatorFacts,
    account: AccountFacts,
    listing: ListingFacts,
    terms: TermFacts,
    cash_available: Decimal | None,
    stock_available: Decimal | None,
    trading_on: bool,
    limits: tuple[LimitFact, ...],
    blocks: tuple[BlockFact, ...],
    working: WorkingFacts | None = None,
    conduct: ConductFacts,
    usage: UsageFacts = NO_USAGE,
    rates: Rates | None = None,
    locate: LocateFacts | None = None,
    charges: ChargeFacts = NO_CHARGES,
) -> Facts:
    """Facts of a new order, or of a replace when ``working`` is given; its own reservation is given back first."""
    own_cash = working.reserved_cash if working else ZERO
    own_stock = working.reserved_stock if working else ZERO
    return Facts(
        at=at,
        action=Action.REPLACE if working else Action.NEW,
        operator=operator,
        account=account,
        listing=listing,
        terms=terms,
        cash_available=cash_available + own_cash if cash_available is not None else None,
        stock_available=stock_available + own_stock if stock_available is not None else None,
        trading_on=trading_on,
        limits=limits,
        blocks=blocks,
        working=working,
        usage=usage,
        rates=rates,
        locate=locate,
        conduct=conduct,
        charges=charges,
    )
