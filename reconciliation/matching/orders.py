"""Orders of a file against ours: one full join by name finds what does not agree at first sight, the rest is judged.

The file is asked for every order that reached a venue and lived on the day. One that has moved since the file's cut is also
judged as it stood then, read again from the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from kernel.canonical import jsonable
from kernel.errors import NotFound
from kernel.numbers import plain
from orders.as_at import get_order_as_at
from reconciliation.domain.order_matching import judge_orders
from reconciliation.domain.order_records import Figures, OurOrder, TheirOrder
from reconciliation.matching.causes import load_causes
from reconciliation.matching.comparing import MOST_JUDGED, Compared, Rows, Task, in_failed_transaction
from reconciliation.matching.names import find_accounts, find_instruments, load_alternates

MOST_REPLAYED = 500
UNANSWERED = "A"

_EXPECTED = """
  FROM orders_order o
  JOIN refdata_listing l ON l.id = o.listing_id
  JOIN refdata_instrument n ON n.id = l.instrument_id
  JOIN accounts_tradingaccount a ON a.id = o.account_id
 WHERE o.trade_date <= %(as_of)s AND (%(markets)s::text[] IS NULL OR l.market_id = ANY(%(markets)s))
   AND {lived}
   AND (o.ord_status IS NOT NULL
        OR EXISTS (SELECT FROM orders_orderrequest r WHERE r.order_id = o.id AND r.handed_over_at IS NOT NULL))
   AND NOT EXISTS (SELECT FROM accounts_canaryaccount c WHERE c.account_id = o.account_id)
   AND (%(cut)s::timestamptz IS NULL OR o.entered_at <= %(cut)s)
"""
_OF_DAY = _EXPECTED.format(
    lived="""(o.trade_date = %(as_of)s OR o.is_open OR o.state_date >= %(as_of)s
        OR EXISTS (SELECT FROM orders_execution x WHERE x.order_id = o.id AND x.trade_date >= %(as_of)s))"""
)
_OPEN = _EXPECTED.format(lived="o.is_open")
_AGREES = """
       e.ord_status = coalesce(x.ord_status, 'A') AND e.order_qty = coalesce(x.order_qty, 0)
       AND coalesce(e.cum_qty = x.cum_qty, true) AND coalesce(e.leaves_qty = x.leaves_qty, true)
       AND coalesce(e.price = x.price, e.price IS NULL) AND coalesce(e.side = x.side, true)
       AND coalesce(e.ord_type = x.ord_type, true) AND coalesce(e.time_in_force = x.time_in_force, true)
       AND coalesce(e.account = x.account, true) AND coalesce(e.isin = x.isin, true)
       AND coalesce(e.symbol IN (x.symbol, x.venue_symbol), true) AND coalesce(e.mic = x.mic, true)
       AND coalesce(e.cl_ord_id = x.cl_ord_id, true) AND coalesce(e.venue_order_id = x.venue_order_id, true)
"""
_OURS = """
SELECT o.id, o.cl_ord_id, o.venue_order_id, o.ord_status, o.order_qty, o.cum_qty, o.leaves_qty, o.price, o.side, o.ord_type,
       o.time_in_force, a.code AS account, n.isin, l.symbol, l.venue_symbol, l.market_id AS mic
{expected}
"""
_THEIRS = """
SELECT e.*, coalesce(r.order_id, g.order_id, v.id) AS order_id
  FROM (SELECT * FROM {table} WHERE line IN (SELECT line FROM recon_lines)) e
  LEFT JOIN orders_orderrequest r ON r.cl_ord_id = e.cl_ord_id
  LEFT JOIN orders_orderrequest g ON g.cl_ord_id = e.orig_cl_ord_id AND r.order_id IS NULL
  LEFT JOIN LATERAL (
    SELECT id FROM orders_order WHERE venue_order_id = e.venue_order_id
    UNION ALL SELECT order_id FROM orders_venuename WHERE venue_order_id = e.venue_order_id
     ORDER BY 1 DESC LIMIT 1) v ON r.order_id IS NULL AND g.order_id IS NULL
 ORDER BY e.line
"""
_NEAR = """
SELECT o.id, o.ref, o.cl_ord_id, o.venue_order_id, o.ord_status, o.order_qty, o.cum_qty, o.leaves_qty, o.price, o.side,
       o.ord_type, o.time_in_force, o.account_id, a.code AS account, l.instrument_id, n.isin, l.symbol, l.market_id AS mic,
       l.currency, l.price_unit, l.price_divisor, o.entered_at, o.updated_at, o.trade_date, o.request_state, o.needs_attention,
       o.id IN (SELECT id FROM recon_ids) AS doubtful, x.id IS NOT NULL AS expected,
       ARRAY(SELECT r.cl_ord_id FROM orders_orderrequest r
              WHERE r.order_id = o.id AND r.cl_ord_id IS NOT NULL ORDER BY r.seq) AS names
  FROM orders_order o
  JOIN accounts_tradingaccount a ON a.id = o.account_id
  JOIN refdata_listing l ON l.id = o.listing_id
  JOIN refdata_instrument n ON n.id = l.instrument_id
  LEFT JOIN ({ours}) x ON x.id = o.id
 WHERE o.id = ANY(%(ids)s::uuid[])
 ORDER BY o.ref
"""
_RAW = (
    "ref", "cl_ord_id", "venue_order_id", "ord_status", "order_qty", "cum_qty", "leaves_qty", "price", "side", "ord_type",
    "time_in_force", "account", "isin", "symbol", "mic", "currency", "price_unit", "entered_at", "updated_at", "trade_date",
    "request_state", "needs_attention",
)  # fmt: skip
_BY_REF = "SELECT ref, id FROM orders_order WHERE ref = ANY(%s)"


def compare(cursor: Any, task: Task) -> Compared:
    """All the file says of orders against all of ours that lived on its day. Makes and drops tables of the session."""
    return _compare(cursor, task, _OF_DAY)


def compare_open(cursor: Any, task: Task) -> Compared:
    """A list of what is open against what is open with us; one of ours that is over and listed is compared as it stood."""
    return _compare(cursor, task, _OPEN)


def _compare(cursor: Any, task: Task, expected_of_us: str) -> Compared:
    parameters = {"as_of": task.as_of, "markets": list(task.markets) or None, "cut": task.cut_at}
    cursor.execute(f"SELECT count(*), count(cl_ord_id), count(venue_order_id) FROM {task.table}")  # noqa: S608
    external, named, called = cursor.fetchone()
    name = "cl_ord_id" if named >= called else "venue_order_id"
    cursor.execute("CREATE TEMP TABLE recon_lines (line bigint)")
    cursor.execute("CREATE TEMP TABLE recon_ids (id uuid)")
    try:
        expected = _look(cursor, task, name, expected_of_us, parameters)
        cursor.execute("SELECT (SELECT count(*) FROM recon_lines), (SELECT count(*) FROM recon_ids)")
        lines, ids = cursor.fetchone()
        if max(lines, ids) > MOST_JUDGED:
            return Compared(expected, external, max(expected - ids, 0), unjudged=max(lines, ids))
        theirs = _load_theirs(cursor, task)
        ours = _load_ours(cursor, task, theirs, expected_of_us, parameters)
        judged = judge_orders(ours, theirs, rules=task.rules, causes=load_causes(cursor, task))
        matched = expected - ids + judged.matched
        return Compared(
            expected + judged.beyond,
            external,
            matched,
            judged.findings,
            sums=_sums(cursor, task, expected_of_us, parameters),
        )
    finally:
        if not in_failed_transaction(cursor):
            cursor.execute("DROP TABLE IF EXISTS recon_lines, recon_ids")


def _sums(cursor: Any, task: Task, expected: str, parameters: dict[str, Any]) -> dict[str, tuple[Decimal, Decimal]]:
    """Ordered and executed units of both sides."""
    cursor.execute(f"SELECT coalesce(sum(o.order_qty), 0), coalesce(sum(o.cum_qty), 0) {expected}", parameters)
    ours = cursor.fetchone()
    cursor.execute(f"SELECT coalesce(sum(order_qty), 0), coalesce(sum(cum_qty), 0) FROM {task.table}")  # noqa: S608
    return dict(zip(("order_qty", "cum_qty"), zip(ours, cursor.fetchone(), strict=True), strict=True))


def _look(cursor: Any, task: Task, name: str, expected: str, parameters: dict[str, Any]) -> int:
    """Keep what does not agree, and all lines of an order that the file lists more than once; how many orders it should list."""
    cursor.execute(
        f"""
        WITH j AS MATERIALIZED (
            SELECT e.line, x.id, ({_AGREES}) IS TRUE AS agrees
              FROM {task.table} e FULL JOIN ({_OURS.format(expected=expected)}) x ON e.{name} = x.{name}
        ), again AS (
            SELECT id FROM j WHERE id IS NOT NULL GROUP BY id HAVING count(*) > 1
        ), doubtful AS (
            SELECT line, id FROM j WHERE NOT agrees OR id IN (SELECT id FROM again)
        ), lines AS (
            INSERT INTO recon_lines SELECT DISTINCT line FROM doubtful WHERE line IS NOT NULL
        ), ids AS (
            INSERT INTO recon_ids SELECT DISTINCT id FROM doubtful WHERE id IS NOT NULL
        )
        SELECT count(DISTINCT id) FROM j
        """,  # noqa: S608
        parameters,
    )
    return int(cursor.fetchone()[0])


def _load_theirs(cursor: Any, task: Task) -> list[TheirOrder]:
    cursor.execute(_THEIRS.format(table=task.table))
    rows = Rows(cursor).dicts()
    alternates = load_alternates(cursor, task.source)
    accounts = find_accounts(cursor, {row["account"] for row in rows if row["account"]}, alternates)
    wanted = {(row["isin"] or "", row["symbol"] or "", row["mic"] or "") for row in rows}
    instruments = find_instruments(cursor, wanted, alternates, task.as_of)
    declared = {word for row in rows if row["order_id"] is None for word in (row["cl_ord_id"], row["venue_order_id"])}
    refs = {word: alternates.orders[word] for word in declared if word in alternates.orders}
    cursor.execute(_BY_REF, [sorted(refs.values())])
    by_ref = dict(cursor.fetchall())
    return [
        _their_order(row, accounts, instruments, {word: by_ref.get(ref) for word, ref in refs.items()}) for row in rows
    ]


def _their_order(
    row: dict[str, Any], accounts: dict[str, UUID], instruments: dict[Any, Any], declared: dict[str, UUID | None]
) -> TheirOrder:
    names = (row["isin"] or "", row["symbol"] or "", row["mic"] or "")
    instrument = instruments.get(names)
    alternate = next((declared[word] for word in (row["cl_ord_id"], row["venue_order_id"]) if word in declared), None)
    return TheirOrder(
        line=row["line"],
        status=row["ord_status"],
        order_qty=row["order_qty"],
        cum_qty=row["cum_qty"],
        leaves_qty=row["leaves_qty"],
        price=row["price"],
        cl_ord_id=row["cl_ord_id"] or "",
        orig_cl_ord_id=row["orig_cl_ord_id"] or "",
        venue_order_id=row["venue_order_id"] or "",
        order_id=row["order_id"] or alternate,
        account=row["account"] or "",
        account_id=accounts.get(row["account"] or ""),
        instrument=" ".join(name for name in names if name) if names[0] or names[1] else "",  # a market is none
        instrument_id=instrument.instrument_id if instrument else None,
        money=instrument.currency if instrument else "",
        divisor=instrument.divisor if instrument else 1,
        side=row["side"] or "",
        ord_type=row["ord_type"] or "",
        time_in_force=row["time_in_force"] or "",
        transact_time=row["transact_time"],
    )


def _load_ours(
    cursor: Any, task: Task, theirs: Sequence[TheirOrder], expected: str, parameters: dict[str, Any]
) -> list[OurOrder]:
    cursor.execute("SELECT id FROM recon_ids")
    ids = {row[0] for row in cursor.fetchall()} | {row.order_id for row in theirs if row.order_id}
    cursor.execute(_NEAR.format(ours=_OURS.format(expected=expected)), {**parameters, "ids": sorted(ids)})
    rows = Rows(cursor).dicts()
    cut = task.cut_at or _end_of_day(task)
    moved = [row["id"] for row in rows if row["updated_at"] > cut][:MOST_REPLAYED]
    then = {order_id: figures for order_id in moved if (figures := _as_at(order_id, cut)) is not None}
    return [_our_order(row, then.get(row["id"])) for row in rows]


def _end_of_day(task: Task) -> datetime:
    """Without a cut the file is about the whole day, wherever on earth it ended last."""
    return datetime.combine(task.as_of, time(23, 59, 59), ZoneInfo("Etc/GMT+12"))


def _as_at(order_id: UUID, at: datetime) -> Figures | None:
    """How the order stood, by its events; None for one whose events do not tell."""
    try:
        order = get_order_as_at(order_id=order_id, at=at).order
    except NotFound:
        return None
    values = order.columns()
    return Figures(
        values["ord_status"] or UNANSWERED,
        values["order_qty"],
        values["cum_qty"],
        values["leaves_qty"],
        values["price"],
    )


def _our_order(row: dict[str, Any], then: Figures | None) -> OurOrder:
    now = Figures(row["ord_status"] or UNANSWERED, row["order_qty"], row["cum_qty"], row["leaves_qty"], row["price"])
    return OurOrder(
        id=row["id"],
        ref=row["ref"],
        now=now,
        side=row["side"],
        ord_type=row["ord_type"],
        time_in_force=row["time_in_force"],
        account_id=row["account_id"],
        account=row["account"],
        instrument_id=row["instrument_id"],
        isin=row["isin"],
        symbol=row["symbol"],
        mic=row["mic"],
        currency=row["currency"],
        divisor=row["price_divisor"],
        entered_at=row["entered_at"],
        updated_at=row["updated_at"],
        trade_date=row["trade_date"],
        cl_ord_id=row["cl_ord_id"] or "",
        venue_order_id=row["venue_order_id"] or "",
        names=tuple(row["names"]),
        then=then,
        expected=row["expected"],
        agreed=row["expected"] and not row["doubtful"],
        answered=row["ord_status"] is not None,
        raw={name: _shown(row[name]) for name in _RAW if row[name] not in (None, "")},
    )


def _shown(value: Any) -> Any:
    return plain(value) if isinstance(value, Decimal) else jsonable(value)
