"""Everything a check may look at, as one frozen value. Whoever loads it decides what was true; checks only judge."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

from kernel.fix import OrdType, Side, TimeInForce
from refdata.domain.listing_facts import ListingFacts
from risk.domain.charge_facts import NO_CHARGES, ChargeFacts
from risk.domain.conduct import NOT_LOADED, ConductFacts
from risk.domain.rates import Rates
from risk.domain.usage import NO_USAGE, UsageFacts


class Action(StrEnum):
    """What is asked for. Cancels run no checks: a venue cancel is never held or refused by a rule of ours."""

    NEW = "new"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class OperatorFacts:
    """Who asks and what they were granted. ``process`` is one of our own processes (the last boundary)."""

    may_enter: bool
    trades_desk: bool
    trades_group: bool
    is_service: bool = False
    may_send: bool = True


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """The trading account the order is for."""

    account_id: UUID
    code: str
    state: str
    short_allowed: bool
    client_active: bool
    overdrawn: bool = False
    opens_currencies: bool = False


@dataclass(frozen=True, slots=True)
class TermFacts:
    """The terms as they would stand. Quantities in units, prices in the listing's price unit."""

    side: Side
    ord_type: OrdType
    time_in_force: TimeInForce
    order_qty: Decimal
    price: Decimal | None = None
    stop_px: Decimal | None = None
    min_qty: Decimal | None = None
    max_floor: Decimal | None = None
    expire_at: datetime | None = None
    expire_date: date | None = None
    locate_ref: str = ""


REPLACEABLE = frozenset(
    {"order_qty", "price", "stop_px", "time_in_force", "expire_at", "expire_date", "min_qty", "max_floor"}
)
"""Terms a replace of ours can ask to change at all."""


@dataclass(frozen=True, slots=True)
class ReplaceRules:
    """What the order's venue takes of replaces, as its adapter declares.

    ``max_outstanding`` counts replaces not yet answered; 0 means the venue takes none. ``means_leaves``: OrderQty (38)
    of a replace is what is still to be done. ``revives_filled``: a filled order may be replaced upwards.
    ``below_executed_stops``: less than is executed already asks the venue to stop where it is. ``min_interval_ms`` lies
    between two messages about one order, at most ``max_a_minute`` of them in a minute; 0 is no such rule.
    """

    max_outstanding: int = 1
    replaceable: frozenset[str] = REPLACEABLE
    means_leaves: bool = False
    revives_filled: bool = False
    below_executed_stops: bool = False
    min_interval_ms: int = 0
    max_a_minute: int = 0


@dataclass(frozen=True, slots=True)
class WorkingFacts:
    """The order a replace is about, as it stands, and what is reserved for it now.

    ``changed`` are the terms the replace changes against what was last asked for; ``told_at`` is when the venue was
    last told of replaces or cancels of this order, as far back as the rules look.
    """

    order_qty: Decimal
    cum_qty: Decimal
    price: Decimal | None
    stop_px: Decimal | None
    time_in_force: TimeInForce
    reserved_cash: Decimal
    reserved_stock: Decimal
    replaces_open: int
    rules: ReplaceRules = ReplaceRules()
    changed: frozenset[str] = frozenset()
    told_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class LocateFacts:
    """The locate a short sale names, as its account has it. ``left`` are units that no other order has used or holds."""

    ref: str
    instrument_id: UUID
    left: Decimal
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class LimitFact:
    """One bound that applies: above ``warn`` softer, above ``hard`` harder; what that means is the check's."""

    kind: str
    scope: str
    scope_id: str
    currency: str
    warn: Decimal | None
    hard: Decimal


@dataclass(frozen=True, slots=True)
class WaiverFact:
    """The word of two people that a block lets one account, or all of them (empty), pass until a time."""

    id: str
    account_id: str
    until: datetime


@dataclass(frozen=True, slots=True)
class BlockFact:
    """One standing block in a scope of the order, and what was said to let pass in spite of it."""

    scope: str
    scope_id: str
    source: str
    reason: str
    waivers: tuple[WaiverFact, ...] = ()

    def waiver_for(self, account_id: UUID, at: datetime) -> WaiverFact | None:
        """What lets the account pass ``at`` a time: its own word before that for all."""
        own = str(account_id)
        found = [one for one in self.waivers if one.account_id in ("", own) and at < one.until]
        return max(found, key=lambda one: one.account_id, default=None)


@dataclass(frozen=True, slots=True)
class Facts:
    """The world as one request meets it.

    ``cash_available`` and ``stock_available`` are to-trade figures (settled + pending - reserved), in the listing's
    currency and in units, with this order's own reservation given back; None means there is no such balance.
    ``charges`` are what it is charged by; a buy reserves their worst case on top.
    """

    at: datetime
    action: Action
    operator: OperatorFacts
    account: AccountFacts
    listing: ListingFacts
    terms: TermFacts
    cash_available: Decimal | None
    stock_available: Decimal | None
    trading_on: bool
    limits: tuple[LimitFact, ...]
    blocks: tuple[BlockFact, ...]
    working: WorkingFacts | None = None
    usage: UsageFacts = NO_USAGE
    rates: Rates | None = None
    locate: LocateFacts | None = None
    conduct: ConductFacts = NOT_LOADED
    charges: ChargeFacts = NO_CHARGES

    @property
    def executed_qty(self) -> Decimal:
        """What the order that is to be replaced has executed; zero for a new one."""
        return self.working.cum_qty if self.working else Decimal(0)

    @property
    def leaves_qty(self) -> Decimal:
        """What could still trade under the terms asked for."""
        return max(self.terms.order_qty - self.executed_qty, Decimal(0))

    @property
    def adds_risk(self) -> bool:
        """A new order does; a replace does unless it only asks for less or for a price further from the market."""
        working, terms = self.working, self.terms
        if working is None:
            return True
        if terms.order_qty > working.order_qty or terms.time_in_force is not working.time_in_force:
            return True
        if terms.stop_px != working.stop_px:
            return True
        if terms.price is None or working.price is None:
            return terms.price is not working.price
        return terms.price > working.price if terms.side.is_buy else terms.price < working.price
