"""How much of a scope's marks is used, and what one order adds: the figures the usage limits judge. Pure.

An order counts from its capture (while it waits for a second person too) until it is over: one order, its open units and
their value. While a replace is open it counts the larger of the old and the new. Open buys are never netted against open
sells. Values are in one counting currency; an order's rate is the one it was counted with, so that a sum of orders stays
a sum of orders whatever the rates do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from kernel.numbers import ZERO

COUNTING_CURRENCY = "GBP"
"""Marks on usage are set and counted in this currency."""

RATE_PLACES = Decimal("0.0000000001")

DAYS_SUMMED = 7
"""How many days back a scope is summed up when counting it begins."""

OPEN_ORDERS = "open_orders"
OPEN_NOTIONAL = "open_notional"
DAILY_GROSS = "daily_gross"
DAILY_NET = "daily_net"
POSITION_QTY = "position_qty"
POSITION_VALUE = "position_value"
CONCENTRATION = "concentration"
ADV_SHARE = "adv_share"
COUNTED_KINDS = frozenset({OPEN_ORDERS, OPEN_NOTIONAL, DAILY_GROSS, DAILY_NET})
"""Kinds whose scope must be counted."""
POSITION_KINDS = frozenset({POSITION_QTY, POSITION_VALUE, CONCENTRATION, ADV_SHARE})
"""Kinds that bound one instrument in one account, whatever scope sets the mark."""
VALUE_KINDS = frozenset({OPEN_NOTIONAL, DAILY_GROSS, DAILY_NET, POSITION_VALUE})
"""Kinds whose marks are amounts of the counting currency."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What one order counts: 0 or 1 order, units that may still trade, their value in the order's currency."""

    open_orders: int = 0
    open_qty: Decimal = ZERO
    open_value: Decimal = ZERO

    def worse(self, other: Counted) -> Counted:
        """The larger of each: what counts while a replace is unanswered."""
        return Counted(
            max(self.open_orders, other.open_orders),
            max(self.open_qty, other.open_qty),
            max(self.open_value, other.open_value),
        )


NOTHING = Counted()


@dataclass(frozen=True, slots=True)
class ScopeUsage:
    """What one counted scope uses: its open orders, and per business date what it bought and sold. Counting currency."""

    scope: str
    scope_id: str
    version: int
    open_orders: int
    open_buy: Decimal
    open_sell: Decimal
    days: Mapping[date, tuple[Decimal, Decimal]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return usage_key(self.scope, self.scope_id)

    def traded(self, day: date) -> tuple[Decimal, Decimal]:
        """Bought and sold on ``day``."""
        return self.days.get(day, (ZERO, ZERO))

    def with_order(self, *, is_buy: bool, orders: int, value: Decimal) -> ScopeUsage:
        """The scope with an order more (or, given negative figures, less)."""
        return ScopeUsage(
            self.scope,
            self.scope_id,
            self.version,
            self.open_orders + orders,
            self.open_buy + (value if is_buy else ZERO),
            self.open_sell + (ZERO if is_buy else value),
            self.days,
        )

    def measure(self, kind: str, day: date, *, is_buy: bool | None = None) -> Decimal:
        """The used amount of a kind. ``is_buy`` looks at net only from the side an order of that side adds to."""
        bought, sold = self.traded(day)
        if kind == OPEN_ORDERS:
            return Decimal(self.open_orders)
        if kind == OPEN_NOTIONAL:
            return self.open_buy + self.open_sell
        if kind == DAILY_GROSS:
            return bought + sold + self.open_buy + self.open_sell
        long, short = bought - sold + self.open_buy, sold - bought + self.open_sell
        if is_buy is None:
            return max(long, short, ZERO)
        return max(long if is_buy else short, ZERO)


def usage_key(scope: str, scope_id: str) -> str:
    """The name of a counted scope."""
    return f"{scope}:{scope_id}"


@dataclass(frozen=True, slots=True)
class PositionFacts:
    """One instrument in one account: units held (short negative), what other open orders may still buy and sell of it.

    ``account_value`` is what all positions of the account are worth in the counting currency, this one included; None
    where a price or a rate of one of them is missing.
    """

    units: Decimal
    open_buy: Decimal
    open_sell: Decimal
    account_value: Decimal | None = None


@dataclass(frozen=True, slots=True)
class UsageFacts:
    """What is used in the order's scopes, and what of that is the order's own.

    ``own`` is what the order counts already in these figures; ``base`` is what it would count without the request that is
    judged (nothing for a new order). They differ where the request was counted when it was captured.
    ``rate`` is None where there is no fresh one: then no value can be counted. ``position`` is None where no mark on
    positions applies to the order.
    """

    scopes: tuple[ScopeUsage, ...] = ()
    own: Counted = NOTHING
    base: Counted = NOTHING
    rate: Decimal | None = None
    position: PositionFacts | None = None

    def of(self, scope: str, scope_id: str) -> ScopeUsage | None:
        """The usage of one scope; None when it is not counted."""
        return next((item for item in self.scopes if item.scope == scope and item.scope_id == scope_id), None)


NO_USAGE = UsageFacts()
