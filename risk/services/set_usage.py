"""What orders count from now on, and what they traded on which day: shares and the sums of their scopes, as one change.

One statement, inside the caller's transaction, after everything else it locks: the shares by ascending order, then the
counted scopes by ascending key. Counts are absolute, so saying the same twice changes nothing; trades are changes. Facts
are always counted: nothing here refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from journal.bulk import write_rows
from kernel.numbers import ZERO
from risk.domain.usage import Counted
from risk.locks import change_usage
from risk.models import OrderUsage


@dataclass(frozen=True, slots=True)
class OrderCount:
    """What one order counts from now on, in whole (not a difference)."""

    order_id: UUID
    counted: Counted


@dataclass(frozen=True, slots=True)
class DayTrade:
    """By how much an order's executions of one business date changed: what was bought, what was sold, in its currency."""

    order_id: UUID
    business_date: date
    bought: Decimal = ZERO
    sold: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class OrderShare:
    """For whom a new order counts, and what: one row of ``risk_orderusage``."""

    order_id: UUID
    desk_id: int
    dealer_id: int
    client_id: UUID
    account_id: UUID
    instrument_id: UUID
    mic: str
    strategy: str
    is_buy: bool
    currency: str
    rate: Decimal
    counted: Counted

    def values(self, counted: Counted) -> tuple[Any, ...]:
        """The row's columns in the order of ``SHARE_FIELDS``, counting ``counted``."""
        return (
            self.order_id, self.desk_id, self.dealer_id, self.client_id, self.account_id, self.instrument_id, self.mic,
            self.strategy, self.is_buy, self.currency, self.rate, *counted_values(counted),
        )  # fmt: skip


def share_keys(share: OrderShare) -> list[str]:
    """The keys of the scopes it is part of, in the order in which they are locked."""
    keys = [
        "firm:", f"desk:{share.desk_id}", f"dealer:{share.dealer_id}", f"client:{share.client_id}",
        f"account:{share.account_id}", f"instrument:{share.instrument_id}", f"venue:{share.mic}",
    ]  # fmt: skip
    if share.strategy:
        keys.append(f"strategy:{share.strategy}")
    return sorted(keys)


SHARE_FIELDS = (
    "order_id", "desk_id", "dealer_id", "client_id", "account_id", "instrument_id", "mic", "strategy", "is_buy",
    "currency", "rate", "open_orders", "open_qty", "open_value",
)  # fmt: skip


def counted_values(counted: Counted) -> tuple[int, Decimal, Decimal]:
    """As columns."""
    return (counted.open_orders, counted.open_qty, counted.open_value)


def set_usage(*, counts: Sequence[OrderCount], trades: Sequence[DayTrade] = ()) -> tuple[str, ...]:
    """Count that from now on. Returns the keys of the counted scopes whose sums changed; they stay locked until commit."""
    if not counts and not trades:
        return ()
    rows = [(item.order_id, *counted_values(item.counted)) for item in counts]
    days = [(item.order_id, item.business_date, item.bought, item.sold) for item in trades]
    return change_usage(rows, days)


def add_orders(shares: Sequence[OrderShare]) -> tuple[str, ...]:
    """Count new orders: their shares come to be at nothing, then count what they count."""
    write_rows(OrderUsage, [share.values(Counted()) for share in shares], fields=SHARE_FIELDS)
    return set_usage(counts=[OrderCount(share.order_id, share.counted) for share in shares])
