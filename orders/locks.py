"""Every lock this room takes, in the order of the house: idempotency, approval request, accounts, blocks, orders, executions.

A capture locks in its one reading statement: the account's cash in the listing's currency, then its holding of the
instrument. Both are re-read after a wait, so the figures are those the lock protects; the order's peers are read behind
the lock by a function that takes a snapshot of its own, so an equal order that was waited for is seen. The key is not locked first: it
is inserted last and unique, so of two equal submissions one commits and the other finds its answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
import psycopg
from django.db import connection

from accounts.domain.fees import NO_FEES, fees_from_json
from accounts.selectors import OVERDRAWN_SQL
from accounts.selectors.fees import FEE_SCHEDULES
from journal.bulk import raw_cursor
from journal.domain.chain import Head
from orders.domain.account_row import AccountRow
from orders.domain.applying import OrderRow, RequestRow
from orders.domain.facts import facts_from_json
from orders.domain.leaving import LeavingOrder, LeavingRequest
from orders.domain.lineage import Departing, Link
from orders.domain.peers import Peers, PeersAsked, peers_of
from orders.domain.terms import OrderTerms
from orders.domain.venue_rules import rules_from_json
from orders.models import KillSweep, Order, OrderRequest, UnknownOrder
from refdata.as_at import current_symbols
from refdata.domain.listing_facts import ListingFacts
from refdata.selectors import FX_RATES, LISTING_WIDTH, listing_from_values, listing_statement, static_version
from risk.domain.rates import Rates
from risk.domain.rulebook.book import Rulebook
from risk.domain.usage import ScopeUsage
from risk.rulebook import RULEBOOK_SQL, rulebook_at
from risk.selectors import BLOCKS_SQL, LIMITS_SQL, TRADING_WAS_SWITCHED_ON_SQL, USAGE_SQL, Marks, marks_from_row
from risk.selectors.rates import RATE_VERSION_SQL, ahead_sql, rates_of
from risk.selectors.usage import usage_from_text

_LISTING = ", ".join(f"c{number}" for number in range(1, LISTING_WIDTH + 1))
_WORLD = f"""
WITH lst({_LISTING}) AS MATERIALIZED ({listing_statement(" WHERE l.symbol = upper($1)")}
), acc AS MATERIALIZED (
    SELECT a.id, a.code, a.state, a.short_allowed, a.group_id, g.desk_id, a.client_id, c.active, {OVERDRAWN_SQL} AS overdrawn,
           a.account_class, a.opens_currencies
      FROM accounts_tradingaccount a
      JOIN accounts_accountgroup g ON g.id = a.group_id
      JOIN accounts_client c ON c.id = a.client_id
     WHERE a.code = $2
), scopes AS (
    SELECT v.scope, v.scope_id
      FROM acc CROSS JOIN lst, LATERAL (VALUES ('firm', ''), ('desk', acc.desk_id::text), ('dealer', $3::text),
        ('client', acc.client_id::text), ('account', acc.id::text), ('instrument', lst.c2::text),
        ('venue', lst.c8::text), ('strategy', $4::text), ('position', acc.id || ':' || lst.c2)) AS v(scope, scope_id)
     WHERE v.scope = 'firm' OR v.scope_id <> ''
), cash AS MATERIALIZED (
    SELECT b.id, b.settled + b.pending - b.reserved AS available
      FROM accounts_cashbalance b
     WHERE b.account_id = (SELECT id FROM acc) AND b.currency = (SELECT c11 FROM lst) LOCKING
), holding AS MATERIALIZED (
    SELECT h.id, GREATEST(h.settled + h.pending - h.reserved - h.short, 0) AS available,
           h.settled + h.pending - h.short AS position
      FROM accounts_holding h
     WHERE h.account_id = (SELECT id FROM acc) AND h.instrument_id = (SELECT c2 FROM lst)
       AND (SELECT count(*) FROM cash) >= 0 LOCKING
)
SELECT acc.id, acc.code, acc.state, acc.short_allowed, acc.group_id, acc.desk_id, acc.client_id, acc.active, acc.overdrawn,
       acc.account_class, acc.opens_currencies, {static_version(FEE_SCHEDULES)},
       cash.id, cash.available, holding.id, holding.available, holding.position,
       {TRADING_WAS_SWITCHED_ON_SQL}, {LIMITS_SQL}, {BLOCKS_SQL}, {USAGE_SQL}, {static_version(FX_RATES)}, NUMBER, k.payload_hash,
       k.answer::text, {RATE_VERSION_SQL}, {ahead_sql("$8::text")}, {ahead_sql("'account:' || acc.id")}, {RULEBOOK_SQL},
       orders_peers(acc.id, acc.client_id, lst.c1, $9, $10, $11::numeric, $12::numeric, $13::timestamptz, $14::uuid,
                    cash.id IS NULL AND holding.id IS NULL AND ALONE), {_LISTING}
  FROM (SELECT 1) AS one
  LEFT JOIN lst ON true
  LEFT JOIN acc ON true
  LEFT JOIN cash ON true
  LEFT JOIN holding ON true
  LEFT JOIN journal_idempotencykey k ON k.principal = $5 AND k.route = $6 AND k.key = $7
"""  # noqa: S608
_LOCKING = (
    _WORLD.replace("LOCKING", "FOR NO KEY UPDATE")
    .replace("NUMBER", "nextval('orders_ref_seq')")
    .replace("ALONE", "true")
)
_READING = _WORLD.replace("LOCKING", "").replace("NUMBER", "0").replace("ALONE", "false")


@contextmanager
def native_cursor() -> Iterator[psycopg.RawCursor[tuple[Any, ...]]]:
    """A cursor that sends ``$1`` statements as they are: a long statement is not parsed anew on every call."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.RawCursor(connection.connection) as cursor:
        yield cursor


def numbered(sql: str) -> str:
    """``%s`` placeholders as ``$1``, ``$2`` …"""
    parts = sql.split("%s")
    return parts[0] + "".join(f"${number}{part}" for number, part in enumerate(parts[1:], 1))


@dataclass(frozen=True, slots=True)
class World:
    """What one statement tells of account, money, marks and an earlier use of the key.

    ``number`` is the next order number (0 for a preview); ``fees_version`` is that of the fee schedules; ``key_hash`` and
    ``key_answer`` are None for a fresh key.
    """

    listing: ListingFacts | None
    account: AccountRow | None
    cash_id: int | None
    cash_available: Decimal | None
    holding_id: int | None
    stock_available: Decimal | None
    position: Decimal
    marks: Marks
    usage: tuple[ScopeUsage, ...]
    fx_version: UUID | None
    number: int
    fees_version: UUID | None
    key_hash: str | None
    key_answer: str | None
    rulebook: Rulebook | None
    peers: Peers
    rates: Rates | None = None


def lock_world(
    *,
    terms: OrderTerms,
    dealer_id: int,
    scope: tuple[str, str, str],
    source: str,
    at: datetime,
    replaces_id: UUID | None = None,
) -> World:
    """Lock the account's money for this listing and read everything the checks need: one statement.

    ``scope`` is principal, route and key of the submission, ``source`` its actor, whose rate is counted. An order that is
    entered for the rest of ``replaces_id`` is no twin of it.
    """
    return _world(_LOCKING, terms, dealer_id, scope, source, at, replaces_id)


def read_world(*, terms: OrderTerms, dealer_id: int, source: str, at: datetime) -> World:
    """The same without any lock or number, for a preview."""
    return _world(_READING, terms, dealer_id, ("", "", ""), source, at, None)


def _world(
    sql: str,
    terms: OrderTerms,
    dealer_id: int,
    scope: tuple[str, str, str],
    source: str,
    at: datetime,
    replaces_id: UUID | None,
) -> World:
    parameters = (
        terms.symbol.strip(),
        terms.account.strip(),
        str(dealer_id),
        terms.strategy,
        *scope,
        source,
        terms.side.value,
        terms.ord_type.value,
        terms.order_qty,
        terms.price,
        at,
        replaces_id,
    )
    row = _world_row(sql, parameters)
    if row[-LISTING_WIDTH] is None:  # nothing is called so now: a name of before still finds
        symbol = terms.symbol.strip().upper()
        named = current_symbols([symbol]).get(symbol)
        if named is not None:
            row = _world_row(sql, (named, *parameters[1:]))
    return World(
        listing=listing_from_values(row[30:], at=at) if row[30] is not None else None,
        account=AccountRow(*row[:11]) if row[0] is not None else None,
        fees_version=row[11],
        cash_id=row[12],
        cash_available=row[13],
        holding_id=row[14],
        stock_available=row[15],
        position=row[16] if row[16] is not None else Decimal(0),
        marks=marks_from_row(row[17], row[18], row[19], at=at),
        usage=usage_from_text(row[20]),
        fx_version=row[21],
        number=row[22],
        key_hash=row[23],
        key_answer=row[24],
        rates=rates_of(
            version=row[25], source=source, source_ahead=row[26], account_id=row[0], account_ahead=row[27], at=at
        )
        if row[0] is not None
        else None,
        rulebook=rulebook_at(row[28]),
        peers=peers_of(row[29]),
    )


_PEERS = """
SELECT orders_peers(t.account_id, t.client_id, t.listing_id, t.side, t.ord_type, t.qty, t.px, %s::timestamptz, t.but, false)
  FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::numeric[], %s::numeric[], %s::uuid[])
       WITH ORDINALITY AS t(account_id, client_id, listing_id, side, ord_type, qty, px, but, place)
 ORDER BY t.place
"""


def read_peers(asked: Sequence[PeersAsked], *, at: datetime) -> list[Peers]:
    """The peers of many orders in one statement; take the locks of their accounts' money first."""
    if not asked:
        return []
    with raw_cursor() as cursor:
        cursor.execute(_PEERS, [at, *(list(column) for column in zip(*asked, strict=True))])
        return [peers_of(row[0]) for row in cursor.fetchall()]


def _world_row(sql: str, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    with native_cursor() as cursor:
        cursor.execute(sql, parameters)
        row = cursor.fetchone()
    assert row is not None
    return row


def next_order_numbers(count: int) -> list[int]:
    """So many order numbers, in rising order; they are unique, not gapless."""
    with raw_cursor() as cursor:
        cursor.execute("SELECT nextval('orders_ref_seq') FROM generate_series(1, %s::int)", [count])
        return sorted(row[0] for row in cursor.fetchall())


_ROWS = """
SELECT id, ref, account_id, correlation_id, side, ord_type, order_qty, price, stop_px, time_in_force, cl_ord_id,
       venue_order_id, ord_status, cum_qty, leaves_qty, is_open, request_state, coalesce(state_date, trade_date), version, last_event_seq,
       last_event_hash, facts::text, instrument_snapshot::text, accepted_excess,
       fees::text, (SELECT a.account_class FROM accounts_tradingaccount a WHERE a.id = account_id)
  FROM orders_order WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""
_REQUEST_ROWS = """
SELECT id, order_id, kind, state, cl_ord_id, CASE WHEN kind = 'replace' THEN payload::text END
  FROM orders_orderrequest WHERE order_id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""


def lock_order_rows(order_ids: Iterable[UUID]) -> dict[UUID, OrderRow]:
    """The orders as reports concern them, locked by ascending id; take the accounts' locks first."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_ROWS, [sorted(set(order_ids))])
        return {
            row[0]: OrderRow._make(
                (
                    *row[:20],
                    bytes(row[20]),
                    facts_from_json(orjson.loads(row[21])),
                    orjson.loads(row[22]),
                    row[23],
                    fees_from_json(orjson.loads(row[24])) if row[24] else NO_FEES,
                    row[25],
                    (),
                )
            )
            for row in cursor.fetchall()
        }


def lock_request_rows(order_ids: Iterable[UUID]) -> dict[UUID, list[RequestRow]]:
    """All requests of the orders, locked by ascending id; take the orders' locks first."""
    found: dict[UUID, list[RequestRow]] = {}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_REQUEST_ROWS, [sorted(set(order_ids))])
        for *row, payload in cursor.fetchall():
            request = RequestRow._make((*row, orjson.loads(payload) if payload is not None else None))
            found.setdefault(request.order_id, []).append(request)
    return found


_DEPARTING = """
SELECT o.id, o.cl_ord_id, o.venue_order_id, o.cum_qty, o.venue_rules::text
  FROM orders_order o
 WHERE o.id IN (SELECT order_id FROM orders_orderrequest WHERE id = ANY(%s::uuid[]))
 ORDER BY o.id FOR NO KEY UPDATE
"""
_LINKS = """
SELECT order_id, kind, state, cl_ord_id, orig_cl_ord_id, seq FROM orders_orderrequest WHERE order_id = ANY(%s::uuid[])
"""


def lock_departing(request_ids: Iterable[UUID]) -> dict[UUID, Departing]:
    """The orders of requests that are about to leave, locked by ascending id: by order, what their messages name."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_DEPARTING, [sorted(set(request_ids))])
        orders = cursor.fetchall()
        links: dict[UUID, list[Link]] = {row[0]: [] for row in orders}
        cursor.execute(_LINKS, [list(links)])
        for order_id, *link in cursor.fetchall():
            links[order_id].append(Link._make(link))
    return {
        order_id: Departing(
            working=working,
            venue_order_id=venue_order_id,
            cum_qty=cum_qty,
            rules=rules_from_json(orjson.loads(rules)),
            links=links[order_id],
        )
        for order_id, working, venue_order_id, cum_qty, rules in orders
    }


def lock_unknown_orders(unknown_ids: Iterable[UUID]) -> dict[UUID, UnknownOrder]:
    """Orders of venues that are none of ours, locked by ascending id; after orders, before the suspense account."""
    rows = UnknownOrder.objects.select_for_update(no_key=True).filter(id__in=sorted(set(unknown_ids))).order_by("id")
    return {row.id: row for row in rows}


def lock_sweep(sweep_id: UUID) -> KillSweep | None:
    """The lease of a stop that stands, before anything else of this room; None while another works it."""
    rows = KillSweep.objects.select_for_update(no_key=True, skip_locked=True)
    return rows.filter(id=sweep_id, ended_at__isnull=True).first()


def lock_orders(order_ids: Iterable[UUID]) -> dict[UUID, Order]:
    """The orders, locked by ascending id, in one statement. Absent ids are absent."""
    rows = Order.objects.select_for_update(no_key=True).filter(id__in=sorted(set(order_ids))).order_by("id")
    return {row.id: row for row in rows}


def lock_all_requests(order_ids: Iterable[UUID], *, judgements: bool = True) -> dict[UUID, list[OrderRequest]]:
    """Every request of the orders, oldest first by order, locked in one statement; take the orders' locks first.

    Without ``judgements`` what the checks saw and said, the larger part of a row, is read only where it is asked for.
    """
    ids = sorted(set(order_ids))
    found: dict[UUID, list[OrderRequest]] = {order_id: [] for order_id in ids}
    rows = OrderRequest.objects.select_for_update(no_key=True).filter(order_id__in=ids).order_by("order_id", "seq")
    for row in rows if judgements else rows.defer("checks", "decision", "acknowledgements"):
        found[row.order_id].append(row)
    return found


_LEAVING = """
SELECT o.id, o.ref, o.account_id, o.desk_id, o.correlation_id, o.trade_date, o.last_event_seq, o.last_event_hash,
       o.facts::text, r.id, r.kind, r.state, r.cl_ord_id, r.orig_cl_ord_id, r.payload::text
  FROM orders_order o JOIN orders_orderrequest r ON r.order_id = o.id
 WHERE o.id IN (SELECT order_id FROM orders_orderrequest WHERE id = ANY(%s::uuid[]))
 ORDER BY o.id, r.seq FOR NO KEY UPDATE
"""


def lock_leaving(request_ids: Iterable[UUID]) -> list[LeavingOrder]:
    """The orders of these requests with all their requests, locked by ascending id, order before request: one statement."""
    found: dict[UUID, LeavingOrder] = {}
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_LEAVING, [sorted(set(request_ids))])
        for row in cursor.fetchall():
            order = found.get(row[0])
            if order is None:
                values = (*row[:6], Head(row[6], bytes(row[7])), orjson.loads(row[8]), [])
                order = found[row[0]] = LeavingOrder(*values)
            order.requests.append(LeavingRequest(*(*row[9:14], orjson.loads(row[14]))))
    return list(found.values())
