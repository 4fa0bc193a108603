"""Puts what was read into the ``Facts`` that checks judge. Pure; one way for capture, preview, replace and approval."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from kernel.numbers import ZERO
from orders.domain.terms import OrderTerms
from refdata.domain.listing_facts import ListingFacts
from risk.domain.facts import (
    AccountFacts,
    Action,
    BlockFact,
    Facts,
    LimitFact,
    OperatorFacts,
    TermFacts,
    WorkingFacts,
)

DESK_SOURCES = frozenset({"ticket"})
"""Doors where a dealer sits in front of a question and can acknowledge it."""

NO_FEES = ZERO
"""Fees are estimated at zero until fee schedules exist; the reservation and every preview go through this name."""


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
        fees=NO_FEES,
        trading_on=trading_on,
        limits=limits,
        blocks=blocks,
        working=working,
    )
