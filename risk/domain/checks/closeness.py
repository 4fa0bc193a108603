"""How close an order brings each scope to each of its marks: the one calculation that checks, previews and screens share."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from kernel.numbers import ZERO
from risk.domain.checks.marks import applicable, tightest
from risk.domain.exposure import order_value
from risk.domain.facts import Facts, LimitFact
from risk.domain.usage import (
    ADV_SHARE,
    CONCENTRATION,
    COUNTED_KINDS,
    COUNTING_CURRENCY,
    DAILY_NET,
    OPEN_ORDERS,
    POSITION_QTY,
    VALUE_KINDS,
    Counted,
    PositionFacts,
    ScopeUsage,
)

SHARE_PLACES = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Closeness:
    """One mark: what is used without the order and with it. ``after`` is None where it cannot be said: ``missing`` why."""

    kind: str
    scope: str
    scope_id: str
    before: Decimal | None
    after: Decimal | None
    warn: Decimal | None
    hard: Decimal
    missing: str = ""
    version: int = 0

    @property
    def place(self) -> str:
        """The scope in words, without its id: the id is in the facts."""
        return f"the {self.scope}"


def counted_of(facts: Facts) -> Counted | None:
    """What the order would count: its leaves under the terms asked, or what it counts anyway where that is more.

    None without any price.
    """
    held = order_value(facts, qty=facts.leaves_qty)
    if held is None:
        return None
    asked = Counted(1 if facts.leaves_qty > ZERO else 0, facts.leaves_qty, held.amount)
    return asked.worse(facts.usage.base)


def usage_closeness(facts: Facts, kind: str) -> tuple[Closeness, ...]:
    """One counted kind, by mark: every scope that has one."""
    found = tuple(applicable(facts.limits, kind, COUNTING_CURRENCY))
    if not found:
        return ()
    counted = counted_of(facts)
    return tuple(_usage(facts, limit, counted) for limit in found)


def _usage(facts: Facts, limit: LimitFact, counted: Counted | None) -> Closeness:
    usage = facts.usage.of(limit.scope, limit.scope_id)
    own, rate = facts.usage.own, facts.usage.rate
    if usage is None:
        return _unknown(limit, "its usage is not counted")
    if counted is None and limit.kind != OPEN_ORDERS:
        return _unknown(limit, "the order has no price")
    if rate is None and limit.kind in VALUE_KINDS:
        return _unknown(limit, f"there is no fresh rate from {facts.listing.currency} to {COUNTING_CURRENCY}")
    is_buy, day = facts.terms.side.is_buy, facts.listing.business_date
    factor = rate if rate is not None else ZERO

    def standing(counts: Counted) -> Decimal:
        """The measure with the order counting this much instead of what it counts now."""
        orders, value = counts.open_orders - own.open_orders, (counts.open_value - own.open_value) * factor
        return usage.with_order(is_buy=is_buy, orders=orders, value=value).measure(
            limit.kind, day, is_buy=is_buy if limit.kind == DAILY_NET else None
        )

    wanted = counted or Counted(1, facts.leaves_qty)
    return _close(limit, standing(facts.usage.base), standing(wanted), usage)


def _close(limit: LimitFact, before: Decimal, after: Decimal, usage: ScopeUsage | None = None) -> Closeness:
    return Closeness(
        limit.kind, limit.scope, limit.scope_id, before, after, limit.warn, limit.hard,
        version=usage.version if usage else 0,
    )  # fmt: skip


def _unknown(limit: LimitFact, missing: str) -> Closeness:
    return Closeness(limit.kind, limit.scope, limit.scope_id, None, None, limit.warn, limit.hard, missing)


def position_closeness(facts: Facts, kind: str) -> Closeness | None:
    """One kind of position mark: the tightest over all scopes bounds this instrument in this account."""
    limit = tightest(facts.limits, kind, COUNTING_CURRENCY)
    if limit is None:
        return None
    position = facts.usage.position
    if position is None:
        return _unknown(limit, "the position is not known")
    before, after = _reach(facts, position)
    if kind == POSITION_QTY:
        return _close(limit, before, after)
    if kind == ADV_SHARE:
        volume = facts.listing.average_daily_volume
        if not volume:
            return _unknown(limit, f"the average daily volume of {facts.listing.symbol} is not known")
        return _close(limit, _share(before, volume), _share(after, volume))
    return _valued(facts, limit, position, (before, after))


def _valued(facts: Facts, limit: LimitFact, position: PositionFacts, reach: tuple[Decimal, Decimal]) -> Closeness:
    rate, price = facts.usage.rate, facts.listing.price
    if rate is None or price is None:
        return _unknown(limit, f"there is no price or no fresh rate for {facts.listing.symbol}")
    unit = price.last / facts.listing.price_divisor * rate
    before, after = reach[0] * unit, reach[1] * unit
    if limit.kind != CONCENTRATION:
        return _close(limit, before, after)
    whole = position.account_value
    if whole is None:
        return _unknown(limit, "not every position of the account can be valued")
    others = max(whole - abs(position.units) * unit, ZERO)
    return _close(limit, _share(before, others + before), _share(after, others + after))


def _reach(facts: Facts, position: PositionFacts) -> tuple[Decimal, Decimal]:
    """How far the position may get on the order's side, in units, without the order and with it: long for a buy, short for
    a sale. The other side's open orders are not netted against it."""
    is_buy, usage = facts.terms.side.is_buy, facts.usage
    others = (position.open_buy if is_buy else position.open_sell) - usage.own.open_qty
    rest = (position.units if is_buy else -position.units) + others
    return max(rest + usage.base.open_qty, ZERO), max(rest + max(facts.leaves_qty, usage.base.open_qty), ZERO)


def _share(part: Decimal, whole: Decimal) -> Decimal:
    return (part / whole).quantize(SHARE_PLACES) if whole > ZERO else ZERO


def all_closeness(facts: Facts) -> tuple[Closeness, ...]:
    """Every mark on usage and position that applies, closest first: the highest part of its limit after the order."""
    found = [item for kind in sorted(COUNTED_KINDS) for item in usage_closeness(facts, kind)]
    found += [item for kind in (ADV_SHARE, CONCENTRATION, POSITION_QTY, "position_value")
              if (item := position_closeness(facts, kind)) is not None]  # fmt: skip
    return tuple(sorted(found, key=lambda item: -(item.after / item.hard) if item.after is not None else -1))
