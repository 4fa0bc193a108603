"""The executions that are judged one by one, as both sides have them, with what their names mean to us."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5
from zoneinfo import ZoneInfo

from kernel.canonical import jsonable
from kernel.numbers import ZERO, plain
from reconciliation.domain.trade_records import OurTrade, TheirTrade
from reconciliation.matching.comparing import Rows, Task
from reconciliation.matching.names import Alternates, NamedInstrument, find_accounts, find_instruments, load_alternates

_THEIRS = """
SELECT e.*, o.id AS order_id, o.ref, o.account_id, l.instrument_id AS order_instrument_id, l.price_divisor, l.currency AS money,
       m.time_zone
  FROM (SELECT * FROM {table} WHERE line IN (SELECT line FROM recon_lines)) e
  LEFT JOIN orders_orderrequest r ON r.cl_ord_id = e.cl_ord_id
  LEFT JOIN LATERAL (
    SELECT v.id FROM (SELECT id FROM orders_order WHERE venue_order_id = e.venue_order_id
                      UNION SELECT order_id FROM orders_venuename WHERE venue_order_id = e.venue_order_id) v
     WHERE r.order_id IS NULL AND e.venue_order_id IS NOT NULL
     ORDER BY EXISTS (SELECT FROM orders_execution x WHERE x.order_id = v.id AND x.exec_id = e.exec_id) DESC, v.id DESC
     LIMIT 1) v ON true
  LEFT JOIN orders_order o ON o.id = coalesce(r.order_id, v.id)
  LEFT JOIN refdata_listing l ON l.id = o.listing_id
  LEFT JOIN refdata_market m ON m.mic = l.market_id
 ORDER BY e.line
"""
_MAPPED = """
SELECT o.ref, o.id, o.account_id, l.instrument_id, l.price_divisor, l.currency, m.time_zone
  FROM orders_order o JOIN refdata_listing l ON l.id = o.listing_id JOIN refdata_market m ON m.mic = l.market_id
 WHERE o.ref = ANY(%s)
"""
_NAMED = """
SELECT x.id FROM unnest(%s::text[], %s::uuid[]) AS w(exec_id, order_id)
  JOIN orders_execution x ON x.exec_id = w.exec_id AND x.order_id = w.order_id
UNION
SELECT x.id FROM orders_execution x WHERE x.order_id = ANY(%s::uuid[]) AND x.exec_ref_id = ANY(%s) AND x.exec_ref_id <> ''
UNION
SELECT x.id FROM unnest(%s::text[]) AS w(exec_id)
 CROSS JOIN LATERAL (SELECT id FROM orders_execution x WHERE x.exec_id = w.exec_id ORDER BY trade_date DESC, id LIMIT 20) x
UNION
SELECT id FROM recon_ids
"""
_OURS = """
SELECT x.id, x.exec_id, x.exec_ref_id, x.exec_type, x.cl_ord_id, o.venue_order_id, x.side, x.last_qty, x.last_px,
       x.effective_qty, x.effective_px, x.suspense_qty, x.last_mkt, x.event_at, x.received_at, x.trade_date, x.settlement_date,
       x.wire_message_id, x.msg_seq_num, x.session_epoch, o.id AS order_id, o.ref, o.account_id, a.code AS account,
       l.instrument_id, n.isin, l.symbol, l.market_id AS mic, l.currency, l.price_unit, l.price_divisor,
       coalesce(c.commission, 0) AS commission, coalesce(c.fees, 0) AS fees,
       x.id IN (SELECT id FROM recon_ids) AS doubtful
  FROM orders_execution x
  JOIN orders_order o ON o.id = x.order_id
  JOIN accounts_tradingaccount a ON a.id = o.account_id
  JOIN refdata_listing l ON l.id = o.listing_id
  JOIN refdata_instrument n ON n.id = l.instrument_id
  LEFT JOIN LATERAL (
    SELECT -sum(b.amount) FILTER (WHERE b.kind = 'commission') AS commission,
           -sum(b.amount) FILTER (WHERE b.kind IN ('fee', 'tax')) AS fees
      FROM accounts_booking b WHERE b.order_id = o.id AND b.execution_id = x.id) c ON true
 WHERE x.id = ANY(%s::uuid[])
"""
_UNKNOWN = """
SELECT r.id, r.identity, r.cl_ord_id, r.venue_order_id, r.report, r.session, r.recorded_at, u.state, u.account_id,
       a.code AS account, u.side, l.instrument_id, n.isin, l.symbol, l.market_id AS mic, l.currency, l.price_unit, l.price_divisor
  FROM orders_unmatchedreport r
  JOIN orders_unknownorder u ON u.id = r.unknown_id
  LEFT JOIN accounts_tradingaccount a ON a.id = u.account_id
  LEFT JOIN refdata_listing l ON l.id = u.listing_id
  LEFT JOIN refdata_instrument n ON n.id = l.instrument_id
 WHERE r.order_id IS NULL AND r.report ->> 'trade_date' = %s AND r.report ->> 'exec_type' IN ('F', '1', '2', 'H')
 ORDER BY r.id LIMIT 10000
"""
_RAW = (
    "exec_id", "exec_ref_id", "cl_ord_id", "venue_order_id", "side", "last_qty", "last_px", "effective_qty", "effective_px",
    "suspense_qty", "account", "isin", "symbol", "mic", "currency", "price_unit", "commission", "fees", "trade_date",
    "settlement_date", "event_at", "received_at", "wire_message_id", "session_epoch", "msg_seq_num",
)  # fmt: skip


def load_their_trades(cursor: Any, task: Task) -> list[TheirTrade]:
    """Rows of the file named in ``recon_lines``."""
    cursor.execute(_THEIRS.format(table=task.table))
    rows = Rows(cursor).dicts()
    alternates = load_alternates(cursor, task.source)
    accounts = find_accounts(cursor, {row["account"] for row in rows if row["account"]}, alternates)
    wanted = {(row["isin"] or "", row["symbol"] or "", row["mic"] or "") for row in rows}
    instruments = find_instruments(cursor, wanted, alternates, task.as_of)
    _name_orders(cursor, rows, alternates)
    return [_their_trade(row, accounts, instruments, alternates, task) for row in rows]


def _name_orders(cursor: Any, rows: list[dict[str, Any]], alternates: Alternates) -> None:
    """Orders that the source is declared to call otherwise, where its names are none of ours."""
    loose = [(row, _declared(row, alternates)) for row in rows if row["order_id"] is None]
    refs = sorted({ref for _, ref in loose if ref})
    if not refs:
        return
    cursor.execute(_MAPPED, [refs])
    found = {one[0]: one for one in cursor.fetchall()}
    for row, ref in loose:
        if ref in found:
            names = ("ref", "order_id", "account_id", "order_instrument_id", "price_divisor", "money", "time_zone")
            row.update(zip(names, found[ref], strict=True))


def _declared(row: dict[str, Any], alternates: Alternates) -> str:
    names = (row["cl_ord_id"], row["venue_order_id"])
    return next((alternates.orders[name] for name in names if name in alternates.orders), "")


def _their_trade(
    row: dict[str, Any],
    accounts: dict[str, UUID],
    instruments: dict[tuple[str, str, str], NamedInstrument],
    alternates: Alternates,
    task: Task,
) -> TheirTrade:
    names = (row["isin"] or "", row["symbol"] or "", row["mic"] or "")
    instrument = instruments.get(names)
    zone = row["time_zone"] or (instrument.time_zone if instrument else "")
    trade_date = row["trade_date"] or _date_there(row["transact_time"], zone)
    return TheirTrade(
        line=row["line"],
        exec_id=row["exec_id"],
        qty=row["last_qty"],
        px=row["last_px"],
        kind=row["exec_type"] or "trade",
        exec_ref_id=row["exec_ref_id"] or "",
        order_id=row["order_id"],
        order_ref=row["ref"] or "",
        named=bool(row["cl_ord_id"] or row["venue_order_id"]),
        cl_ord_id=row["cl_ord_id"] or "",
        venue_order_id=row["venue_order_id"] or "",
        mapped_exec_id=alternates.executions.get(row["exec_id"], ""),
        side=row["side"] or "",
        account=row["account"] or "",
        account_id=accounts.get(row["account"] or ""),
        instrument=" ".join(name for name in names if name) if names[0] or names[1] else "",  # a market is none
        instrument_id=instrument.instrument_id if instrument else None,
        order_account_id=row["account_id"],
        order_instrument_id=row["order_instrument_id"],
        currency=row["currency"] or "",
        money=row["currency"] or row["money"] or (instrument.currency if instrument else ""),
        divisor=row["price_divisor"] or (instrument.divisor if instrument else 1),
        commission=row["commission"],
        fees=row["fees"],
        trade_date=trade_date,
        transact_time=row["transact_time"],
        settlement_date=row["settlement_date"],
    )


def _date_there(at: datetime | None, zone: str) -> Any:
    """The market's date of a moment."""
    return at.astimezone(ZoneInfo(zone)).date() if at is not None and zone else None


def load_our_trades(cursor: Any, task: Task, theirs: Sequence[TheirTrade]) -> list[OurTrade]:
    """Ours in ``recon_ids``, and of any day those that a row of theirs names."""
    named = [(name, row.order_id) for row in theirs if row.order_id for name in _exec_names(row)]
    orders = sorted({row.order_id for row in theirs if row.order_id})
    loose = sorted({name for row in theirs if row.order_id is None for name in _exec_names(row)})
    every = sorted({name for name, _ in named})
    cursor.execute(_NAMED, [[n for n, _ in named], [o for _, o in named], orders, every, loose])
    cursor.execute(_OURS, [[row[0] for row in cursor.fetchall()]])
    return [_our_trade(row, task) for row in Rows(cursor).dicts()]


def _exec_names(row: TheirTrade) -> list[str]:
    return [name for name in (row.exec_id, row.exec_ref_id, row.mapped_exec_id) if name]


def _our_trade(row: dict[str, Any], task: Task) -> OurTrade:
    in_market = not task.markets or row["mic"] in task.markets
    of_day = row["trade_date"] == task.as_of and in_market
    return OurTrade(
        id=row["id"],
        exec_id=row["exec_id"],
        qty=row["effective_qty"],
        px=row["effective_px"],
        side=row["side"],
        trade_date=row["trade_date"],
        event_at=row["event_at"],
        order_id=row["order_id"],
        order_ref=row["ref"],
        exec_ref_id=row["exec_ref_id"],
        cl_ord_id=row["cl_ord_id"] or "",
        venue_order_id=row["venue_order_id"] or "",
        account_id=row["account_id"],
        account=row["account"],
        instrument_id=row["instrument_id"],
        isin=row["isin"],
        symbol=row["symbol"],
        mic=row["mic"],
        currency=row["currency"],
        price_unit=row["price_unit"],
        divisor=row["price_divisor"],
        commission=row["commission"],
        fees=row["fees"],
        settlement_date=row["settlement_date"],
        suspense_qty=row["suspense_qty"],
        expected=of_day and (task.cut_at is None or row["event_at"] <= task.cut_at),
        agreed=of_day and not row["doubtful"],
        raw={**{name: text for name in _RAW if (text := _shown(row[name])) not in (None, "")}, "order": row["ref"]},
    )


def _shown(value: Any) -> Any:
    return plain(value) if isinstance(value, Decimal) else jsonable(value)


def load_unknown_trades(cursor: Any, task: Task) -> list[OurTrade]:
    """Executions of orders that are nobody's yet: they are on record too, in suspense or waiting for a person."""
    cursor.execute(_UNKNOWN, [task.as_of.isoformat()])
    rows = Rows(cursor).dicts()
    busted = {(row["venue_order_id"], r.get("exec_ref_id")) for row in rows if (r := row["report"])["exec_type"] == "H"}
    return [
        _unknown_trade(row, task, gone=(row["venue_order_id"], row["report"].get("exec_id")) in busted)
        for row in rows
        if row["report"]["exec_type"] != "H" and (not task.markets or row["mic"] in (None, *task.markets))
    ]


def _unknown_trade(row: dict[str, Any], task: Task, *, gone: bool) -> OurTrade:
    report = row["report"]
    at = datetime.fromisoformat(report["event_at"])
    qty = ZERO if gone or row["state"] == "dk" else Decimal(report.get("last_qty", "0"))
    notes = {
        "suspense": "on an order of the venue that is none of ours, which lies in suspense",
        "dk": "on an order that a person answered we do not know",
    }
    return OurTrade(
        id=uuid5(NAMESPACE_URL, f"oms:unmatched:{row['id']}"),
        exec_id=report.get("exec_id", ""),
        qty=qty,
        px=Decimal(report.get("last_px", "0")),
        side=report.get("side", row["side"]) or "",
        trade_date=task.as_of,
        event_at=at,
        cl_ord_id=row["cl_ord_id"],
        venue_order_id=row["venue_order_id"],
        account_id=row["account_id"],
        account=row["account"] or "",
        instrument_id=row["instrument_id"],
        isin=row["isin"] or "",
        symbol=row["symbol"] or "",
        mic=row["mic"] or "",
        currency=row["currency"] or "",
        price_unit=row["price_unit"] or "",
        divisor=row["price_divisor"] or 1,
        expected=task.cut_at is None or at <= task.cut_at,
        note=notes.get(row["state"], "on an order of the venue that is none of ours, which waits for a person"),
        raw={**report, "session": row["session"], "state": row["state"]},
    )
