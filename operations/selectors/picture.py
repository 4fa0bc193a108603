"""What the tables say, in the form the picture is compared in: a digest for each order and for each account."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from journal.bulk import raw_cursor

_ORDER_TEXT = """concat_ws('|', o.session_group, coalesce(o.cl_ord_id, ''), coalesce(o.venue_order_id, ''),
    coalesce(o.ord_status, ''), coalesce(trim_scale(o.order_qty)::text, ''), trim_scale(o.cum_qty)::text,
    trim_scale(o.leaves_qty)::text, trim_scale(o.avg_px)::text, coalesce(trim_scale(o.price)::text, ''),
    coalesce(trim_scale(o.stop_px)::text, ''), o.time_in_force, left(o.overfilled::text, 1), left(o.is_open::text, 1), o.request_state,
    o.needs_attention, o.last_event_seq::text, trim_scale(coalesce(r.cash, 0))::text,
    trim_scale(coalesce(r.stock, 0))::text)"""
# Open orders, and closed ones that hold something for a replace on its way.
_ORDERS = """
SELECT o.id::text, {what} FROM orders_order o LEFT JOIN accounts_reservation r ON r.order_id = o.id WHERE o.is_open
UNION ALL
SELECT o.id::text, {what} FROM accounts_reservation r JOIN orders_order o ON o.id = r.order_id WHERE NOT o.is_open
"""
_ACCOUNTS = """
SELECT account_id::text, {what} FROM (
    SELECT account_id, string_agg(line, ';' ORDER BY what COLLATE "C") AS text FROM (
        SELECT account_id, currency AS what,
               concat_ws('|', currency, trim_scale(settled)::text, trim_scale(pending)::text,
                         trim_scale(reserved)::text, '0', CASE WHEN overdrawn_by_event IS NULL THEN 'f' ELSE 't' END
               ) AS line
          FROM accounts_cashbalance
         WHERE settled <> 0 OR pending <> 0 OR reserved <> 0 OR overdrawn_by_event IS NOT NULL
        UNION ALL
        SELECT account_id, instrument_id::text,
               concat_ws('|', instrument_id::text, trim_scale(settled)::text, trim_scale(pending)::text,
                         trim_scale(reserved)::text, trim_scale(short)::text,
                         CASE WHEN overdrawn_by_event IS NULL THEN 'f' ELSE 't' END)
          FROM accounts_holding
         WHERE settled <> 0 OR pending <> 0 OR reserved <> 0 OR short <> 0 OR overdrawn_by_event IS NOT NULL
    ) AS balances GROUP BY account_id
) AS accounts
"""
_DIGEST = "substr(sha256(convert_to({text}, 'UTF8')), 1, 16)"


def order_digests() -> dict[str, bytes]:
    """A digest of each open order with what it holds, by id."""
    return _pairs(_ORDERS.format(what=_DIGEST.format(text=_ORDER_TEXT)))


def order_texts(order_ids: Collection[str]) -> dict[str, str]:
    """What was digested, of the orders named."""
    sql = f"SELECT * FROM ({_ORDERS.format(what=_ORDER_TEXT)}) AS q(id, text) WHERE q.id = ANY(%s::text[])"  # noqa: S608
    return _pairs(sql, list(order_ids))


def account_digests() -> dict[str, bytes]:
    """A digest of each account that has anything, by id."""
    return _pairs(_ACCOUNTS.format(what=_DIGEST.format(text="text")))


def account_texts(account_ids: Collection[str]) -> dict[str, str]:
    """What was digested, of the accounts named."""
    sql = f"{_ACCOUNTS.format(what='text')} WHERE account_id::text = ANY(%s::text[])"
    return _pairs(sql, list(account_ids))


def _pairs(sql: str, *values: Any) -> dict[str, Any]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(sql, list(values) or None)
        return dict(cursor.fetchall())
