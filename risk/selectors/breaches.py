"""Where more is used than a limit allows: counted scopes, and positions of accounts. What facts did, never an order of ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from journal.bulk import raw_cursor
from kernel.errors import Unavailable
from refdata.models import Market
from refdata.selectors import business_date, get_fx_rates
from risk.domain.facts import LimitFact
from risk.domain.in_force import DatedLimit, in_force
from risk.domain.limit_change import KIND_WORDS
from risk.domain.usage import (
    ADV_SHARE,
    CONCENTRATION,
    COUNTED_KINDS,
    COUNTING_CURRENCY,
    POSITION_KINDS,
    POSITION_QTY,
    POSITION_VALUE,
    ScopeUsage,
)
from risk.models import Limit, OrderUsage
from risk.selectors.usage import counting_rate, read_usage

MOST_ORDERS = 20
_POSITION_WORDS = {
    POSITION_QTY: "The position", POSITION_VALUE: "The value of the position",
    CONCENTRATION: "The share of the account", ADV_SHARE: "The share of the daily volume",
}  # fmt: skip
_COLUMNS = {
    "desk": "desk_id", "dealer": "dealer_id", "client": "client_id", "account": "account_id",
    "instrument": "instrument_id", "venue": "mic", "strategy": "strategy",
}  # fmt: skip
_POSITIONS = """
WITH rate AS (SELECT * FROM unnest(%(currencies)s::text[], %(rates)s::numeric[]) AS r(currency, rate)),
held AS (
     SELECT h.account_id, h.instrument_id, abs(h.settled + h.pending - h.short) AS units, q.mic, q.volume,
            abs(h.settled + h.pending - h.short) * q.px * rate.rate AS value
       FROM accounts_holding h
       LEFT JOIN LATERAL (SELECT l.currency, l.market_id AS mic, l.average_daily_volume AS volume, r.last / l.price_divisor AS px
                            FROM refdata_listing l LEFT JOIN refdata_referenceprice r ON r.listing_id = l.id
                           WHERE l.instrument_id = h.instrument_id ORDER BY r.priced_at DESC NULLS LAST, l.id LIMIT 1) q ON true
       LEFT JOIN rate ON rate.currency = q.currency
      WHERE h.settled + h.pending - h.short <> 0
), valued AS (
     SELECT *, CASE WHEN bool_and(value IS NOT NULL) OVER account THEN sum(value) OVER account END AS whole
       FROM held WINDOW account AS (PARTITION BY account_id)
), measured AS (
     SELECT l.id, l.kind, l.hard, v.account_id, v.instrument_id, a.code, i.name,
            CASE l.kind WHEN 'position_qty' THEN v.units WHEN 'position_value' THEN v.value
                        WHEN 'concentration' THEN round(v.value / nullif(v.whole, 0), 4)
                        WHEN 'adv_share' THEN round(v.units / nullif(v.volume, 0), 4) END AS used
       FROM unnest(%(marks)s::bigint[]) AS w(id) JOIN risk_limit l ON l.id = w.id
       CROSS JOIN valued v
       JOIN accounts_tradingaccount a ON a.id = v.account_id
       JOIN accounts_accountgroup g ON g.id = a.group_id
       JOIN refdata_instrument i ON i.id = v.instrument_id
      WHERE l.scope = 'firm' OR (l.scope, l.scope_id) IN (('account', v.account_id::text), ('client', a.client_id::text),
            ('instrument', v.instrument_id::text), ('desk', g.desk_id::text), ('venue', v.mic))
)
SELECT DISTINCT ON (account_id, instrument_id, kind) id, kind, code, name, account_id, instrument_id, used, hard
  FROM measured WHERE used > hard ORDER BY account_id, instrument_id, kind, hard, id
"""
"""A figure that cannot be said (no price, rate or volume) is beyond nothing here; orders of it are refused (``limits_position``)."""
_TOLD = """
SELECT substr(stream, 9) FROM (
       SELECT DISTINCT ON (stream) stream, kind FROM journal_event WHERE stream >= 'anomaly:limit:' AND stream < 'anomaly:limit;'
        ORDER BY stream, seq DESC) last
 WHERE kind = 'AnomalyRaised'
"""


@dataclass(frozen=True, slots=True)
class Breach:
    """One limit that is exceeded. ``key`` names the matter; ``order_ids`` are the newest open orders behind it."""

    key: str
    limit_id: int
    what: str
    used: Decimal
    hard: Decimal
    order_ids: tuple[UUID, ...] = ()


def find_breaches(*, at: datetime) -> list[Breach]:
    """Every mark in force that is exceeded now, by limit."""
    marks = list(Limit.objects.filter(kind__in=COUNTED_KINDS | POSITION_KINDS).order_by("id"))
    facts = {LimitFact(m.kind, m.scope, m.scope_id, m.currency, m.warn, m.hard): m for m in marks}
    dated = [DatedLimit(fact, m.effective_from, m.effective_until) for fact, m in facts.items()]
    holding = [facts[fact] for fact in in_force(dated, at)]
    counted = [mark for mark in holding if mark.kind in COUNTED_KINDS]
    return [*_counted(counted, at), *_held([mark.pk for mark in holding if mark.kind in POSITION_KINDS], at)]


def _counted(marks: list[Limit], at: datetime) -> list[Breach]:
    if not marks:
        return []
    usage = {item.key: item for item in read_usage((mark.scope, mark.scope_id) for mark in marks)}
    days, found = business_dates(at), []
    for mark in marks:
        item = usage.get(f"{mark.scope}:{mark.scope_id}")
        used = used_most(item, mark.kind, days) if item is not None else None
        if used is not None and used > mark.hard:
            what = f"{KIND_WORDS[mark.kind]} of the {mark.scope}"
            found.append(
                Breach(f"limit:{mark.pk}", mark.pk, what, used, mark.hard, newest_orders(mark.scope, mark.scope_id))
            )
    return found


def used_most(item: ScopeUsage, kind: str, days: Mapping[str, date]) -> Decimal | None:
    """The used amount of a kind on whichever business date now running uses most of it: a venue's own, else any market's.

    An order is judged on its own market's date (ADR 0019), so a scope is beyond its mark as soon as it is on one of them.
    None where no market has a date now.
    """
    chosen = {days[item.scope_id]} if item.scope == "venue" and item.scope_id in days else set(days.values())
    return max((item.measure(kind, day) for day in chosen), default=None)


def business_dates(at: datetime) -> dict[str, date]:
    """The business date running on each market; not of one beyond its calendar, where no order passes either."""
    found = {}
    for mic in Market.objects.order_by("mic").values_list("mic", flat=True):
        try:
            found[mic] = business_date(mic, at)
        except Unavailable:
            continue
    return found


def _held(marks: list[int], at: datetime) -> list[Breach]:
    if not marks:
        return []
    rates = get_fx_rates()
    known = {one: counting_rate(one, at=at, rates=rates) for one in sorted(rates.currencies() | {COUNTING_CURRENCY})}
    values = {"marks": marks, "currencies": list(known), "rates": list(known.values())}
    with raw_cursor() as cursor:
        cursor.execute(_POSITIONS, values)
        rows = cursor.fetchall()
    return [
        Breach(
            f"limit:{limit_id}:{account_id}:{instrument_id}", limit_id, f"{_POSITION_WORDS[kind]} of {code} in {name}",
            used, hard,
        )
        for limit_id, kind, code, name, account_id, instrument_id, used, hard in rows
    ]  # fmt: skip


def newest_orders(scope: str, scope_id: str, *, limit: int = MOST_ORDERS) -> tuple[UUID, ...]:
    """The newest open orders of a scope."""
    chosen = {_COLUMNS[scope]: scope_id} if scope in _COLUMNS else {}
    rows = OrderUsage.objects.filter(open_orders=1, **chosen).order_by("-order_id").values_list("order_id", flat=True)
    return tuple(rows[:limit])


def find_told() -> set[str]:
    """The keys of limits of which it was said that they are exceeded, and nothing since."""
    with raw_cursor() as cursor:
        cursor.execute(_TOLD)
        return {row[0] for row in cursor.fetchall()}
