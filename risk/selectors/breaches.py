"""Where more is used than a limit allows: counted scopes, and positions of accounts. What facts did, never an order of ours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from journal.bulk import raw_cursor
from refdata.selectors import business_date
from risk.domain.facts import LimitFact
from risk.domain.in_force import DatedLimit, in_force
from risk.domain.limit_change import KIND_WORDS
from risk.domain.usage import COUNTED_KINDS, POSITION_QTY
from risk.models import Limit, OrderUsage
from risk.selectors.usage import read_usage

DAY_OF = "XLON"
"""The market whose business date a day's figures of a scope over several markets are watched on."""
MOST_ORDERS = 20
_COLUMNS = {
    "desk": "desk_id", "dealer": "dealer_id", "client": "client_id", "account": "account_id",
    "instrument": "instrument_id", "venue": "mic", "strategy": "strategy",
}  # fmt: skip
_POSITIONS = """
SELECT DISTINCT ON (h.account_id, h.instrument_id) l.id, a.code, i.name, h.account_id, h.instrument_id,
       abs(h.settled + h.pending - h.short), l.hard
  FROM unnest(%s::bigint[]) AS w(id) JOIN risk_limit l ON l.id = w.id
  JOIN accounts_holding h ON abs(h.settled + h.pending - h.short) > l.hard
  JOIN accounts_tradingaccount a ON a.id = h.account_id
  JOIN accounts_accountgroup g ON g.id = a.group_id
  JOIN refdata_instrument i ON i.id = h.instrument_id
 WHERE l.scope = 'firm' OR (l.scope, l.scope_id) IN (('account', h.account_id::text), ('instrument', h.instrument_id::text),
       ('client', a.client_id::text), ('desk', g.desk_id::text))
 ORDER BY h.account_id, h.instrument_id, l.hard
"""
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
    marks = list(Limit.objects.filter(kind__in=[*COUNTED_KINDS, POSITION_QTY]).order_by("id"))
    facts = {LimitFact(m.kind, m.scope, m.scope_id, m.currency, m.warn, m.hard): m for m in marks}
    dated = [DatedLimit(fact, m.effective_from, m.effective_until) for fact, m in facts.items()]
    holding = [facts[fact] for fact in in_force(dated, at)]
    return [*_counted([m for m in holding if m.kind in COUNTED_KINDS], at), *_held(holding)]


def _counted(marks: list[Limit], at: datetime) -> list[Breach]:
    if not marks:
        return []
    usage = {item.key: item for item in read_usage((mark.scope, mark.scope_id) for mark in marks)}
    day, found = business_date(DAY_OF, at), []
    for mark in marks:
        item = usage.get(f"{mark.scope}:{mark.scope_id}")
        used = item.measure(mark.kind, day) if item is not None else None
        if used is not None and used > mark.hard:
            what = f"{KIND_WORDS[mark.kind]} of the {mark.scope}"
            found.append(
                Breach(f"limit:{mark.pk}", mark.pk, what, used, mark.hard, newest_orders(mark.scope, mark.scope_id))
            )
    return found


def _held(marks: list[Limit]) -> list[Breach]:
    wanted = [mark.pk for mark in marks if mark.kind == POSITION_QTY]
    if not wanted:
        return []
    with raw_cursor() as cursor:
        cursor.execute(_POSITIONS, [wanted])
        rows = cursor.fetchall()
    return [
        Breach(
            f"limit:{limit_id}:{account_id}:{instrument_id}", limit_id, f"The position of {code} in {name}", units, hard
        )
        for limit_id, code, name, account_id, instrument_id, units, hard in rows
    ]


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
