"""Our own books of a day, told as each counterparty would tell them: what generated files are made of.

Written from what the house keeps, not from what matching reads: it says what an honest counterparty says, so that it can
judge the matching. Orders are told as they stand now, bookings by their dates; canaries exist nowhere but here and are left
out. Everything is ordered, so that the same books make the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import partial
from typing import Any

from accounts.models import CanaryAccount, TradingAccount
from journal.bulk import raw_cursor
from kernel.fix import ORD_STATUS_NAMES, OrdStatus
from kernel.numbers import ZERO, plain
from reconciliation.domain.making.sheet import Book, Record, instant
from reconciliation.domain.records import Kind
from reconciliation.matching.trade_cash import TRADE_CASH
from reconciliation.selectors.post_trade_books import allocations, settlements

_EXECUTIONS = """
SELECT e.id, o.ref, e.exec_id, e.exec_ref_id, e.last_qty, e.last_px, e.effective_qty, e.effective_px,
       coalesce(e.cl_ord_id, ''), coalesce(o.venue_order_id, ''), a.code, i.isin, l.symbol, l.market_id, e.side, l.currency,
       l.price_divisor, e.trade_date, e.event_at, e.settlement_date, o.order_qty,
       (SELECT -sum(b.amount) FROM accounts_booking b
         WHERE b.order_id = o.id AND b.execution_id = e.id AND b.kind = 'commission'),
       (SELECT -sum(b.amount) FROM accounts_booking b
         WHERE b.order_id = o.id AND b.execution_id = e.id AND b.kind IN ('fee', 'tax'))
  FROM orders_execution e JOIN orders_order o ON o.id = e.order_id
  JOIN accounts_tradingaccount a ON a.id = o.account_id
  JOIN refdata_listing l ON l.id = o.listing_id JOIN refdata_instrument i ON i.id = l.instrument_id
 WHERE e.trade_date = %s AND NOT EXISTS (SELECT FROM accounts_canaryaccount x WHERE x.account_id = a.id)
 ORDER BY e.event_at, o.ref, e.msg_seq_num, e.id
"""
_STRANGERS = """
SELECT r.report, r.venue_order_id, r.cl_ord_id FROM orders_unmatchedreport r
 WHERE r.order_id IS NULL AND r.report->>'exec_type' IN ('F', 'G', 'H') AND r.report->>'trade_date' = %s
 ORDER BY r.id
"""
_ORDERS = """
SELECT o.ref, coalesce(o.cl_ord_id, ''), coalesce(o.venue_order_id, ''), a.code, i.isin, l.symbol, l.market_id, o.side,
       o.ord_type, o.time_in_force, coalesce(o.ord_status, 'A'), o.order_qty, o.cum_qty, o.leaves_qty, o.price,
       o.updated_at, l.price_divisor, o.is_open,
       (SELECT string_agg(r.cl_ord_id, ' ' ORDER BY r.seq) FROM orders_orderrequest r
         WHERE r.order_id = o.id AND r.kind <> 'cancel' AND r.state = 'accepted' AND r.cl_ord_id <> o.cl_ord_id)
  FROM orders_order o JOIN accounts_tradingaccount a ON a.id = o.account_id
  JOIN refdata_listing l ON l.id = o.listing_id JOIN refdata_instrument i ON i.id = l.instrument_id
 WHERE o.trade_date <= %s AND NOT EXISTS (SELECT FROM accounts_canaryaccount x WHERE x.account_id = a.id)
   AND (o.ord_status IS NOT NULL
        OR EXISTS (SELECT FROM orders_orderrequest r WHERE r.order_id = o.id AND r.handed_over_at IS NOT NULL))
   AND (o.trade_date = %s OR o.is_open OR coalesce(o.state_date, o.trade_date) >= %s
        OR EXISTS (SELECT FROM orders_execution e WHERE e.order_id = o.id AND e.trade_date >= %s))
 ORDER BY o.ref
"""
_POSITIONS = """
SELECT a.code, i.isin, sum(b.amount) FILTER (WHERE b.layer = 'settled'),
       sum(CASE WHEN b.layer = 'short' THEN -b.amount ELSE b.amount END)
  FROM accounts_booking b JOIN accounts_tradingaccount a ON a.id = b.account_id
  JOIN refdata_instrument i ON i.id = b.instrument_id
 WHERE b.trade_date <= %s AND NOT EXISTS (SELECT FROM accounts_canaryaccount x WHERE x.account_id = a.id)
 GROUP BY a.code, i.isin ORDER BY a.code, i.isin
"""
# A bank books a trade on the day it settles, and what moved the settled layer on its own day. What a balance of its own set
# in our books is no entry with it: it had that before.
_OPENING = """
SELECT a.code, b.currency, sum(b.amount) FILTER (WHERE b.dated < %(first)s OR b.kind IN ('opening', 'statement'))
  FROM (SELECT account_id, currency, amount, kind, CASE WHEN layer = 'settled' THEN trade_date ELSE settlement_date END AS dated
          FROM accounts_booking WHERE currency <> '') b
  JOIN accounts_tradingaccount a ON a.id = b.account_id
 WHERE b.dated <= %(first)s AND NOT EXISTS (SELECT FROM accounts_canaryaccount x WHERE x.account_id = a.id)
 GROUP BY a.code, b.currency ORDER BY a.code, b.currency
"""
_CASH = f"""
WITH {TRADE_CASH}
SELECT a.code, b.currency, coalesce(e.exec_id, u.name, i.ref, b.event::text, b.matter::text), b.matter::text, b.amount
  FROM by_trade b
  JOIN accounts_tradingaccount a ON a.id = b.account_id
  LEFT JOIN orders_execution e ON e.id = b.execution_id
  LEFT JOIN orders_unknownorder u ON u.id = b.order_id
  LEFT JOIN LATERAL (
       SELECT coalesce(s.ref, 'A-' || t.number) AS ref FROM allocations_allocation t
         LEFT JOIN allocations_settlementinstruction s ON s.allocation_id = t.id AND s.state <> 'canceled'
        WHERE t.id = b.by_allocation OR t.block_id = b.by_block AND t.account_id = b.account_id
        ORDER BY t.settlement_date <> b.dated, t.number LIMIT 1) i ON true
 WHERE b.kind NOT IN ('opening', 'statement') AND NOT EXISTS (SELECT FROM accounts_canaryaccount x WHERE x.account_id = a.id)
 ORDER BY a.code, b.currency, 3, b.matter
"""  # noqa: S608


def books_of_day(*, day: date, kinds: Iterable[Kind], at: datetime) -> list[Book]:
    """A book for each file that the kinds asked for take, in the order of :class:`Kind`; told up to ``at``, or the day's end."""
    wanted = set(kinds)
    cut_at = min(datetime.combine(day, time(23, 59, 59), UTC), at)
    books: list[Book] = []
    for kind, name, source, records in _all_of(day, cut_at):
        if kind in wanted:
            books.append(Book(name, kind, source, day, cut_at, tuple(records(day))))
    return books


def _all_of(day: date, cut_at: datetime) -> list[tuple[Kind, str, str, Any]]:
    listed = partial(orders, until=cut_at)
    return [
        (Kind.ACCOUNTS, "accounts", "CRM", accounts),
        (Kind.HOLDINGS, "holdings", "REGISTRY", holdings),
        (Kind.OPEN_ORDERS, "open_orders", "VENUE", lambda of: (row for row in listed(of) if row.about["open"])),
        (Kind.CASH, "cash", "BANK", cash),
        (Kind.ORDERS, "orders", "VENUE", listed),
        (Kind.EXECUTIONS, "executions", "BROKER", executions),
        (Kind.POSITIONS, "positions", "CUSTODIAN", lambda of: positions(of, "settled")),
        (Kind.POSITIONS, "positions_traded", "BROKER", lambda of: positions(of, "traded")),
        (Kind.ALLOCATIONS, "allocations", "BROKER", allocations),
        (Kind.SETTLEMENTS, "settlements", "CUSTODIAN", settlements),
    ]


def accounts(day: date) -> Iterator[Record]:
    """As the CRM system has them."""
    rows = (
        TradingAccount.objects.select_related("client", "group")
        .exclude(id__in=CanaryAccount.objects.values("account_id"))
        .order_by("code")
    )
    for row in rows:
        yield Record(
            row.code,
            {
                "account": row.code,
                "client": row.client.code,
                "client_name": row.client.name,
                "lei": row.client.lei,
                "name": row.name or row.code,
                "account_group": row.group.code,
                "base_currency": row.base_currency,
                "state": row.state,
                "account_class": row.account_class,
                "short_allowed": "yes" if row.short_allowed else "no",
            },
        )


def executions(day: date) -> Iterator[Record]:
    """Every trade of the day as it was first reported, then its latest version; strangers last."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_EXECUTIONS, [day])
        rows = cursor.fetchall()
        cursor.execute(_STRANGERS, [day.isoformat()])
        strangers = cursor.fetchall()
    for row in rows:
        yield from _versions(row)
    for number, (report, venue_order_id, cl_ord_id) in enumerate(strangers):
        yield _stranger(number, report, venue_order_id, cl_ord_id)


def _versions(row: tuple[Any, ...]) -> Iterator[Record]:
    """One line as reported, and a second when it was corrected or busted since. The latest carries what it cost."""
    (id_, ref, exec_id, ref_id, qty, px, now_qty, now_px, cl, venue, account, isin, symbol, mic, side, currency) = row[
        :16
    ]
    divisor, trade_date, event_at, settles, ordered, commission, fees = row[16:]
    busted, changed = not now_qty and bool(qty), (now_qty, now_px) != (qty, px)
    values = {
        "exec_id": exec_id, "exec_type": "trade", "cl_ord_id": cl, "venue_order_id": venue, "account": account, "isin": isin,
        "symbol": symbol, "mic": mic, "side": side, "last_qty": plain(qty), "last_px": plain(px), "currency": currency,
        "trade_date": trade_date.isoformat(), "transact_time": instant(event_at), "settlement_date": settles.isoformat(),
    }  # fmt: skip
    charges = {"commission": _said(commission), "fees": _said(fees)}
    later = changed and ref_id and ref_id != exec_id
    about = {
        "matter": str(id_), "order": ref, "divisor": str(divisor), "versions": "2" if later else "1" if not changed else "?",
        "order_qty": plain(ordered) if ordered is not None else "",
    }  # fmt: skip
    first = Record(f"{id_}:1", values if later else {**values, **charges}, about)
    yield first
    if later:
        named = {"exec_id": ref_id, "exec_ref_id": exec_id, "exec_type": "bust" if busted else "correction"}
        figures = {} if busted else {"last_qty": plain(now_qty), "last_px": plain(now_px), **charges}
        yield Record(f"{id_}:2", {**values, **named, **figures}, about)


def _said(amount: Decimal | None) -> str:
    return plain(amount) if amount is not None else ""


def _stranger(number: int, report: Mapping[str, Any], venue_order_id: str, cl_ord_id: str) -> Record:
    kinds = {"F": "trade", "G": "correction", "H": "bust"}
    values = {
        "exec_id": report.get("exec_id", ""),
        "exec_ref_id": report.get("exec_ref_id", ""),
        "exec_type": kinds[report["exec_type"]],
        "cl_ord_id": cl_ord_id,
        "venue_order_id": venue_order_id,
        "symbol": report.get("symbol", ""),
        "mic": report.get("market", ""),
        "side": report.get("side", ""),
        "last_qty": plain(Decimal(report.get("last_qty", 0))),
        "last_px": plain(Decimal(report.get("last_px", 0))),
        "trade_date": report["trade_date"],
        "transact_time": instant(datetime.fromisoformat(report["event_at"])),
    }
    return Record(f"stranger:{number}", values, {"matter": f"stranger:{number}", "divisor": "1"})


def orders(day: date, *, until: datetime) -> Iterator[Record]:
    """Every order that the venue knows and that lived on the day. A list made at ``until`` tells no later moment, though the order has
    lived on: it would be younger than the run that reads it.
    """
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_ORDERS, [day, day, day, day])
        rows = cursor.fetchall()
    for row in rows:
        ref, cl, venue, account, isin, symbol, mic, side, ord_type, tif, status, qty, cum, leaves, price = row[:15]
        updated_at, divisor, is_open, former = row[15:]
        yield Record(
            ref,
            {
                "cl_ord_id": cl, "venue_order_id": venue, "account": account, "isin": isin, "symbol": symbol, "mic": mic,
                "side": side, "ord_type": ord_type, "time_in_force": tif, "ord_status": _word(status),
                "order_qty": plain(qty or ZERO), "cum_qty": plain(cum), "leaves_qty": plain(leaves),
                "price": plain(price) if price is not None else "", "transact_time": instant(min(updated_at, until)),
            },
            {"order": ref, "divisor": str(divisor), "open": "yes" if is_open else "", "former_names": former or ""},
        )  # fmt: skip


def _word(status: str) -> str:
    """``PartiallyFilled`` as ``partially_filled``."""
    name = ORD_STATUS_NAMES[OrdStatus(status)]
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def positions(day: date, basis: str) -> Iterator[Record]:
    """What each account has at the end of the day. What comes to nothing is not listed."""
    rows = [row for row in _positions(day) if row[2 if basis == "settled" else 3]]
    everything = sorted({isin for _, isin, _, _ in rows})
    held = {(code, isin) for code, isin, _, _ in rows}
    for code, isin, settled, traded in rows:
        missing = next((other for other in everything if (code, other) not in held), "")
        yield Record(
            f"{code}:{isin}:{basis}",
            {"account": code, "isin": isin, "qty": plain(settled if basis == "settled" else traded), "basis": basis,
             "as_of": day.isoformat()},
            {"not_held": missing} if missing else {},
        )  # fmt: skip


def holdings(day: date) -> Iterator[Record]:
    """Settled units, as a registry tells them."""
    for code, isin, settled, _ in _positions(day):
        if settled:
            values = {"account": code, "isin": isin, "qty": plain(settled), "as_of": day.isoformat()}
            yield Record(f"{code}:{isin}", values)


def _positions(day: date) -> list[tuple[str, str, Decimal, Decimal]]:
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_POSITIONS, [day])
        return [(code, isin, settled or ZERO, traded) for code, isin, settled, traded in cursor.fetchall()]


def cash(day: date) -> Iterator[Record]:
    """A balance for each account and currency, with what moved it on the day."""
    with raw_cursor(binary=True) as cursor:
        cursor.execute(_OPENING, {"first": day})
        opening = {(code, currency): amount or ZERO for code, currency, amount in cursor.fetchall()}
        cursor.execute(_CASH, {"first": day, "last": day})
        rows = cursor.fetchall()
    entries: dict[tuple[str, str], list[tuple[str, str, Decimal]]] = {}
    for code, currency, *entry in rows:
        entries.setdefault((code, currency), []).append((entry[0], entry[1], entry[2]))
    for (code, currency), amount in opening.items():
        moved = entries.get((code, currency), [])
        yield Record(
            f"{code}:{currency}",
            {"record": "balance", "account": code, "currency": currency, "opening": plain(amount),
             "amount": plain(amount + sum((one[2] for one in moved), ZERO)), "as_of": day.isoformat()},
        )  # fmt: skip
        for ref, matter, change in moved:
            yield _entry(day, code, currency, ref, matter, change)


def _entry(day: date, code: str, currency: str, ref: str, matter: str, amount: Decimal) -> Record:
    return Record(
        f"{code}:{currency}:{matter}",
        {"record": "entry", "account": code, "currency": currency, "amount": plain(amount), "as_of": day.isoformat(),
         "entry_ref": f"B{matter.replace('-', '')[-12:].upper()}", "our_ref": ref, "value_date": day.isoformat()},
    )  # fmt: skip
