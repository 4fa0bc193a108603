"""Reads of what is used: the counted scopes of an order, one account's position in an instrument, the rate to count by.

What :func:`usage_from_text` makes of the column of a larger statement, :func:`read_usage` reads alone. Neither locks.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from kernel.errors import Refused
from kernel.numbers import ZERO
from refdata.domain.fx import FxRates, find_path
from refdata.selectors import get_fx_rates
from risk.domain.facts import LimitFact
from risk.domain.usage import (
    CONCENTRATION,
    COUNTING_CURRENCY,
    POSITION_KINDS,
    RATE_PLACES,
    PositionFacts,
    ScopeUsage,
    usage_key,
)
from risk.selectors import USAGE_SQL

ONE = Decimal(1)
UNRATED = ZERO
"""The rate of an order that no fresh rate could count: it adds to no value until its scope is counted anew (``start_counting``)."""

_USAGE = f"""
WITH scopes AS (SELECT * FROM unnest(%s::text[], %s::text[]) AS t(scope, scope_id)) SELECT {USAGE_SQL}
"""  # noqa: S608
_POSITION = """
SELECT p.account_id, p.instrument_id, coalesce(h.settled + h.pending - h.short, 0),
       coalesce(sum(u.open_qty) FILTER (WHERE u.is_buy), 0), coalesce(sum(u.open_qty) FILTER (WHERE NOT u.is_buy), 0)
  FROM unnest(%s::uuid[], %s::uuid[]) AS p(account_id, instrument_id)
  LEFT JOIN accounts_holding h ON h.account_id = p.account_id AND h.instrument_id = p.instrument_id
  LEFT JOIN risk_orderusage u
    ON u.account_id = p.account_id AND u.instrument_id = p.instrument_id AND u.open_orders = 1
 GROUP BY p.account_id, p.instrument_id, h.settled, h.pending, h.short
"""
_HELD = """
SELECT h.account_id, abs(h.settled + h.pending - h.short), q.currency, q.last / q.price_divisor
  FROM accounts_holding h
  LEFT JOIN LATERAL (SELECT l.currency, r.last, l.price_divisor
                       FROM refdata_listing l JOIN refdata_referenceprice r ON r.listing_id = l.id
                      WHERE l.instrument_id = h.instrument_id ORDER BY r.priced_at DESC, l.id LIMIT 1) q ON true
 WHERE h.account_id = ANY(%s::uuid[]) AND h.settled + h.pending - h.short <> 0
"""


def usage_from_text(text: str | None) -> tuple[ScopeUsage, ...]:
    """The counted scopes as the statement tells them."""
    return tuple(_scope(row) for row in json.loads(text)) if text else ()


def _scope(row: list[Any]) -> ScopeUsage:
    key, version, open_orders, open_buy, open_sell, days = row
    scope, _, scope_id = key.partition(":")
    return ScopeUsage(
        scope, scope_id, version, open_orders, Decimal(open_buy), Decimal(open_sell),
        {date.fromisoformat(day): (Decimal(bought), Decimal(sold)) for day, bought, sold in days or ()},
    )  # fmt: skip


def read_usage(pairs: Iterable[tuple[str, str]]) -> tuple[ScopeUsage, ...]:
    """The counted ones of the (scope, scope_id) pairs as they are now."""
    chosen = sorted(set(pairs))
    with connection.cursor() as cursor:
        cursor.execute(_USAGE, [[pair[0] for pair in chosen], [pair[1] for pair in chosen]])
        row = cursor.fetchone()
    return usage_from_text(row[0])


def keys_of(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """The keys under which scopes are counted, in the order in which they are locked."""
    return sorted({usage_key(scope, scope_id) for scope, scope_id in pairs})


def counting_rate(currency: str, *, at: datetime, rates: FxRates | None = None) -> Decimal | None:
    """What one unit of ``currency`` is in the counting currency; None without a fresh rate."""
    if currency == COUNTING_CURRENCY:
        return ONE
    try:
        path = find_path(currency, COUNTING_CURRENCY, rates or get_fx_rates(), at=at)
    except Refused:
        return None
    return path.of(ONE).quantize(RATE_PLACES)


def bounds_position(limits: Iterable[LimitFact]) -> bool:
    """Whether a mark on positions is among them, so that the position must be read."""
    return any(limit.kind in POSITION_KINDS for limit in limits)


def get_positions(
    pairs: Collection[tuple[UUID, UUID]], limits: Iterable[LimitFact], *, at: datetime
) -> dict[tuple[UUID, UUID], PositionFacts]:
    """Position and open orders of (account, instrument) pairs, as of a statement of its own: read it under the accounts'
    locks, which everything that changes them holds. What the accounts are worth is read only where a mark needs it."""
    chosen = sorted(set(pairs))
    with connection.cursor() as cursor:
        cursor.execute(_POSITION, [[pair[0] for pair in chosen], [pair[1] for pair in chosen]])
        rows = cursor.fetchall()
    needed = any(limit.kind == CONCENTRATION for limit in limits)
    values = _account_values({pair[0] for pair in chosen}, at) if needed else {}
    return {
        (account_id, instrument_id): PositionFacts(units, buys, sells, values.get(account_id))
        for account_id, instrument_id, units, buys, sells in rows
    }


def _account_values(account_ids: Collection[UUID], at: datetime) -> Mapping[UUID, Decimal | None]:
    """What all positions of each account are worth at their last prices; None where one cannot be valued."""
    values: dict[UUID, Decimal | None] = dict.fromkeys(account_ids, ZERO)
    rates = get_fx_rates()
    with connection.cursor() as cursor:
        cursor.execute(_HELD, [list(account_ids)])
        for account_id, units, currency, px in cursor.fetchall():
            rate = counting_rate(currency, at=at, rates=rates) if currency is not None else None
            known = values[account_id]
            values[account_id] = None if known is None or rate is None or px is None else known + units * px * rate
    return values
