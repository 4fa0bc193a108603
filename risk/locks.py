"""Blocks under lock: after accounts, before orders. One advisory lock a (scope, source) also guards the row not yet there.

The wire is one more advisory lock. A gateway holds it shared while it checks, hands over and sends a batch of what adds
risk; who presses a stop takes it alone until commit. So a batch either leaves before the stop is committed, or sees it.
Usage comes last of all locks, by ascending key. The row of a scope is its lock: whoever changes what the scope traded on a
day locks the row first, so what is read after it is exact.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import Model

from journal.bulk import raw_cursor
from journal.domain.idempotency import lock_number
from risk.models import Block, Breaker, Limit, Restriction, Waiver

_WIRE = lock_number("risk-wire")


def lock_blocks(*, scope: str, scope_id: str, source: str) -> Block | None:
    """The standing block of this scope and source, or None; nobody else changes it until commit."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number("risk-block", scope, scope_id, source)])
    return (
        Block.objects.select_for_update()
        .filter(scope=scope, scope_id=scope_id, source=source, lifted_at__isnull=True)
        .first()
    )


def lock_blocks_of(sources: Collection[str]) -> list[Block]:
    """The standing blocks of these sources, ascending by place. For whoever holds what the sources name: nobody else imposes there."""
    rows = Block.objects.select_for_update().filter(source__in=list(sources), lifted_at__isnull=True)
    return list(rows.order_by("scope", "scope_id", "source"))


def lock_waivers_of(block_id: UUID) -> list[Waiver]:
    """What stands of the words that open a block, ascending; behind the block's own lock."""
    rows = Waiver.objects.select_for_update(of=("self",)).select_related("block")
    return list(rows.filter(block_id=block_id, ended_at__isnull=True).order_by("id"))


def lock_waiver(waiver_id: UUID) -> Waiver | None:
    """One word that opens a block; None: there is none of that name."""
    return Waiver.objects.select_for_update(of=("self",)).select_related("block").filter(pk=waiver_id).first()


def lock_subject(subject: str) -> None:
    """One subject of a change of the rulebook, whether it exists or not: one question about it at a time, until commit."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number("risk-rule-change", subject)])


def lock_entry(model: type[Model], key: Mapping[str, Any]) -> Model | None:
    """The entry of the rulebook of this key, or None."""
    return model._default_manager.select_for_update().filter(**key).first()


def lock_restriction(restriction_id: UUID) -> Restriction | None:
    """The entry of the restricted or watch list, or None."""
    return Restriction.objects.select_for_update().filter(id=restriction_id).first()


def close_wire(*, wait_ms: int) -> bool:
    """Until commit no batch of what adds risk begins. True once none is under way; False when one was for ``wait_ms``.

    To be called first in the transaction. While it waits, gateways begin none either.
    """
    with raw_cursor() as cursor:
        cursor.execute("SELECT current_setting('lock_timeout')")
        row = cursor.fetchone()
        try:
            with transaction.atomic():
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{wait_ms}ms"])
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_WIRE])
                cursor.execute("SELECT set_config('lock_timeout', %s, true)", [row[0] if row else "0"])
        except psycopg.errors.LockNotAvailable:
            return False
    return True


@contextmanager
def open_wire() -> Iterator[bool]:
    """For a gateway, around the check, the hand-over and the sending of one batch: whether what adds risk may leave.

    False while a stop is being pressed; never waits. Held by the session, over the commit of the hand-over.
    """
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock_shared(%s)", [_WIRE])
        row = cursor.fetchone()
    held = bool(row and row[0])
    try:
        yield held
    finally:
        if held:
            try:
                with raw_cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock_shared(%s)", [_WIRE])
            except (OperationalError, InterfaceError):
                connection.close()  # the session that held it ends, and the lock with it


SCOPES_OF_SHARE = """(VALUES ('firm:'), ('desk:' || m.desk_id), ('dealer:' || m.dealer_id), ('client:' || m.client_id),
       ('account:' || m.account_id), ('instrument:' || m.instrument_id), ('venue:' || m.mic),
       (CASE WHEN m.strategy <> '' THEN 'strategy:' || m.strategy END))"""
"""The keys of the scopes that a share ``m`` is part of: the same rule as ``selectors.Scopes``."""

_SET = f"""
WITH given AS (
     SELECT * FROM unnest(%s::uuid[], %s::int[], %s::numeric[], %s::numeric[])
            AS g(order_id, open_orders, open_qty, open_value)
), traded AS (
     SELECT * FROM unnest(%s::uuid[], %s::date[], %s::numeric[], %s::numeric[])
            AS t(order_id, business_date, bought, sold)
), old AS MATERIALIZED (
     SELECT u.* FROM risk_orderusage u WHERE u.order_id IN (SELECT order_id FROM given)
      ORDER BY u.order_id FOR NO KEY UPDATE
), moved AS (
     UPDATE risk_orderusage u SET open_orders = g.open_orders, open_qty = g.open_qty, open_value = g.open_value
       FROM given g JOIN old o ON o.order_id = g.order_id
      WHERE u.order_id = g.order_id
        AND (o.open_orders, o.open_qty, o.open_value) IS DISTINCT FROM (g.open_orders::smallint, g.open_qty, g.open_value)
  RETURNING o.desk_id, o.dealer_id, o.client_id, o.account_id, o.instrument_id, o.mic, o.strategy, o.is_buy,
            g.open_orders - o.open_orders AS orders, (g.open_value - o.open_value) * o.rate AS value
), days AS (
     SELECT u.desk_id, u.dealer_id, u.client_id, u.account_id, u.instrument_id, u.mic, u.strategy, t.business_date,
            t.bought * u.rate AS bought, t.sold * u.rate AS sold
       FROM traded t JOIN risk_orderusage u ON u.order_id = t.order_id
), delta AS (
     SELECT s.key, sum(m.orders) AS orders, sum(m.value) FILTER (WHERE m.is_buy) AS buys,
            sum(m.value) FILTER (WHERE NOT m.is_buy) AS sells
       FROM moved m CROSS JOIN LATERAL {SCOPES_OF_SHARE} AS s(key) WHERE s.key IS NOT NULL GROUP BY s.key
), day_delta AS (
     SELECT s.key, m.business_date, sum(m.bought) AS bought, sum(m.sold) AS sold
       FROM days m CROSS JOIN LATERAL {SCOPES_OF_SHARE} AS s(key) WHERE s.key IS NOT NULL GROUP BY s.key, m.business_date
), locked AS MATERIALIZED (
     SELECT l.key, l.counted_from FROM risk_limitusage l
      WHERE l.key IN (SELECT key FROM delta UNION SELECT key FROM day_delta) ORDER BY l.key FOR NO KEY UPDATE
), counted AS (
     UPDATE risk_limitusage l SET open_orders = l.open_orders + coalesce(d.orders, 0),
            open_buy = l.open_buy + coalesce(d.buys, 0), open_sell = l.open_sell + coalesce(d.sells, 0),
            version = l.version + 1
       FROM locked k LEFT JOIN delta d ON d.key = k.key WHERE l.key = k.key
  RETURNING l.key
), daily AS (
     INSERT INTO risk_dailyusage AS u (key, business_date, bought, sold)
     SELECT d.key, d.business_date, d.bought, d.sold FROM day_delta d JOIN locked k ON k.key = d.key AND d.business_date >= k.counted_from
      ORDER BY d.key, d.business_date
         ON CONFLICT (key, business_date) DO UPDATE SET bought = u.bought + excluded.bought, sold = u.sold + excluded.sold
)
SELECT key FROM counted ORDER BY key
"""  # noqa: S608

_MOVE = """
WITH old AS MATERIALIZED (
     SELECT u.* FROM risk_orderusage u WHERE u.order_id = ANY(%(orders)s::uuid[]) AND u.dealer_id <> %(dealer)s::int
      ORDER BY u.order_id FOR NO KEY UPDATE
), moved AS (
     UPDATE risk_orderusage u SET dealer_id = %(dealer)s::int FROM old o WHERE u.order_id = o.order_id
), sides AS (
     SELECT o.*, s.key, s.sign
       FROM old o CROSS JOIN LATERAL (VALUES ('dealer:' || o.dealer_id, -1), ('dealer:' || %(dealer)s::int, 1)) AS s(key, sign)
), delta AS (
     SELECT key, sum(sign * open_orders) AS orders, sum(sign * open_value * rate) FILTER (WHERE is_buy) AS buys,
            sum(sign * open_value * rate) FILTER (WHERE NOT is_buy) AS sells
       FROM sides GROUP BY key
), day_delta AS (
     SELECT m.key, b.trade_date AS business_date, coalesce(sum(-m.sign * b.amount * m.rate) FILTER (WHERE m.is_buy), 0) AS bought,
            coalesce(sum(m.sign * b.amount * m.rate) FILTER (WHERE NOT m.is_buy), 0) AS sold
       FROM sides m JOIN accounts_booking b ON b.order_id = m.order_id
      WHERE b.instrument_id IS NULL AND b.kind IN ('trade', 'bust', 'correction') GROUP BY m.key, b.trade_date
), locked AS MATERIALIZED (
     SELECT l.key, l.counted_from FROM risk_limitusage l
      WHERE l.key IN (SELECT key FROM delta) ORDER BY l.key FOR NO KEY UPDATE
), counted AS (
     UPDATE risk_limitusage l SET open_orders = l.open_orders + d.orders, open_buy = l.open_buy + coalesce(d.buys, 0),
            open_sell = l.open_sell + coalesce(d.sells, 0), version = l.version + 1
       FROM locked k JOIN delta d ON d.key = k.key WHERE l.key = k.key
  RETURNING l.key
), daily AS (
     INSERT INTO risk_dailyusage AS u (key, business_date, bought, sold)
     SELECT d.key, d.business_date, d.bought, d.sold FROM day_delta d JOIN locked k ON k.key = d.key AND d.business_date >= k.counted_from
      ORDER BY d.key, d.business_date
         ON CONFLICT (key, business_date) DO UPDATE SET bought = u.bought + excluded.bought, sold = u.sold + excluded.sold
)
SELECT key FROM counted ORDER BY key
"""

COUNT_CAPTURE = """
l AS MATERIALIZED (SELECT key FROM risk_limitusage WHERE key = ANY(%s::text[]) AND (SELECT count(*) FROM k) = 1
                    ORDER BY key FOR NO KEY UPDATE),
u AS (UPDATE risk_limitusage t SET open_orders = t.open_orders + %s, open_buy = t.open_buy + %s,
             open_sell = t.open_sell + %s, version = t.version + 1 FROM l WHERE t.key = l.key RETURNING t.key, t.version)
"""
"""For the writing statement of a capture: lock the scopes in ``u`` once its ``k`` is written, add the order, tell the versions.

The sums come last of all locks, in the order of their keys: after the unique key, for which another capture may wait.
"""
_LOCK_USAGE = "SELECT key FROM risk_limitusage WHERE key = ANY(%s::text[]) ORDER BY key FOR NO KEY UPDATE"


def lock_usage(keys: Sequence[str]) -> None:
    """The counted ones of these scopes stay as they are until commit; read them afterwards."""
    with raw_cursor() as cursor:
        cursor.execute(_LOCK_USAGE, [sorted(keys)])


def lock_counting() -> None:
    """Nobody counts an order until commit: a scope that is not counted yet can be summed up, and misses none."""
    with raw_cursor() as cursor:
        cursor.execute("LOCK TABLE risk_orderusage IN SHARE ROW EXCLUSIVE MODE")


def change_usage(counts: Sequence[tuple[Any, ...]], trades: Sequence[tuple[Any, ...]]) -> tuple[str, ...]:
    """Set shares (order, orders, units, value) and add trades (order, date, bought, sold); the keys whose sums changed.

    One statement: shares by ascending order, then counted scopes by ascending key, locked until commit.
    """
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_SET, [*_columns(counts), *_columns(trades)])
        return tuple(row[0] for row in cursor.fetchall())


def change_dealer(order_ids: Collection[UUID], dealer_id: int) -> tuple[str, ...]:
    """Give the shares of these orders, and their part of the sums, to a dealer; the keys whose sums changed.

    Locks as :func:`change_usage`.
    """
    with raw_cursor() as cursor:
        cursor.execute(_MOVE, {"orders": sorted(order_ids), "dealer": dealer_id})
        return tuple(row[0] for row in cursor.fetchall())


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], [], []]


def lock_rate_marks() -> None:
    """One writer of marks for rates at a time, so that their versions become visible in order and none is passed over."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock_number("risk-rate-marks")])


def lock_limit(scope: str, scope_id: str, kind: str, currency: str) -> Limit | None:
    """The standing mark of this key (the one without a beginning), or None; nobody else changes it until commit."""
    with raw_cursor() as cursor:
        number = lock_number("risk-limit", scope, scope_id, kind, currency)
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])
    return (
        Limit.objects.select_for_update()
        .filter(scope=scope, scope_id=scope_id, kind=kind, currency=currency, effective_from__isnull=True)
        .first()
    )


_BEGUN = """
SELECT l.id FROM risk_limit l
 WHERE l.effective_from <= %(at)s AND (l.effective_until IS NULL OR l.effective_until > %(at)s) AND l.change_id IS NOT NULL
   AND NOT EXISTS (SELECT FROM journal_event e
                    WHERE e.stream = 'risk:limit:' || l.scope || ':' || l.scope_id AND e.kind = 'LimitBegan'
                      AND (e.payload ->> 'limit_id')::bigint = l.id)
 ORDER BY l.id LIMIT 100 FOR NO KEY UPDATE OF l SKIP LOCKED
"""


def lock_begun_limits(*, at: datetime) -> list[Limit]:
    """Dated marks in force of which nobody has said yet that they began, until commit; not those somebody works on."""
    with raw_cursor() as cursor:
        cursor.execute(_BEGUN, {"at": at})
        ids = [row[0] for row in cursor.fetchall()]
    return list(Limit.objects.filter(id__in=ids).order_by("id"))


def lock_breaker(*, kind: str, subject: str) -> Breaker:
    """The breaker's row, made closed where there was none; nobody else moves it until commit. Before blocks."""
    Breaker.objects.bulk_create([Breaker(kind=kind, subject=subject)], ignore_conflicts=True)
    return Breaker.objects.select_for_update().get(kind=kind, subject=subject)
