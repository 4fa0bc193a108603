"""``capture``: one order at a time through ``capture_order`` with every check, against the same rows by hand-made SQL.

Floor: begin, one statement that locks the account's cash and reads it, one writing CTE with the same rows (order,
request, two events, reservation, key), commit; no checks, no Python objects, no hashing, no wake-up. Both run in turns of
one process on one connection, over the same accounts. Data: 100 accounts with ample cash, limit buys of one listing. The
result is verified: orders counted, cash held equals the sum of the orders, chains intact.
"""

from __future__ import annotations

import statistics
import time
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Sum

from accounts.models import CashBalance, Reservation
from benchmarks.support import build_desk
from journal.models import Event
from kernel.clock import utc_now
from kernel.fix import OrdType, Side
from kernel.ids import new_id
from orders.domain.terms import OrderTerms
from orders.locks import native_cursor, numbered
from orders.models import Order
from orders.services.capture_order import capture_order
from tests.factories import DeskWorld, make_account

ACCOUNTS = 100
TURN = 50
HELD = Decimal("72.50")
_LOCK = numbered("""
SELECT a.id, b.id, b.settled + b.pending - b.reserved, k.answer::text
  FROM accounts_tradingaccount a
  JOIN accounts_cashbalance b ON b.account_id = a.id AND b.currency = 'GBP'
  LEFT JOIN journal_idempotencykey k ON k.principal = %s AND k.route = 'floor' AND k.key = %s
 WHERE a.code = %s FOR NO KEY UPDATE OF b
""")


def main(full: bool) -> dict[str, Any]:
    """Rates per second, their ratio, latencies of captures in milliseconds."""
    turns = 200 if full else 40
    desk = build_desk().world
    codes = [make_account(f"B{n:03d}", group=desk.group, cash="1000000000").code for n in range(ACCOUNTS)]
    floor = Floor(_sample(desk, codes))
    for _ in range(3):  # warm both: plans are prepared, caches filled
        _captures(desk, codes, TURN, "warm")
        floor.run(codes, TURN)
    capture_s = floor_s = 0.0
    latencies: list[float] = []
    for _ in range(turns):
        took = _captures(desk, codes, TURN, "bench")
        latencies += took
        capture_s += sum(took)
        floor_s += floor.run(codes, TURN)
    count = turns * TURN
    _verify(count)
    ordered = sorted(latencies)
    rate, floor_rate = count / capture_s, count / floor_s
    return {
        "rate": round(rate, 1),
        "floor_rate": round(floor_rate, 1),
        "ratio": round(rate / floor_rate, 3),
        "p50_ms": round(statistics.median(ordered) * 1000, 3),
        "p95_ms": round(ordered[int(count * 0.95)] * 1000, 3),
        "p99_ms": round(ordered[int(count * 0.99)] * 1000, 3),
        "n": count,
        "accounts": ACCOUNTS,
    }


def _terms(code: str, symbol: str) -> OrderTerms:
    return OrderTerms(
        account=code,
        symbol=symbol,
        side=Side.BUY,
        ord_type=OrdType.LIMIT,
        order_qty=Decimal(100),
        price=Decimal("72.50"),
    )


def _captures(desk: DeskWorld, codes: list[str], count: int, source: str) -> list[float]:
    """Seconds each capture took."""
    took = []
    for number in range(count):
        code = codes[number % len(codes)]
        started = time.perf_counter()
        result = capture_order(
            actor=desk.dealer,
            at=utc_now(),
            idempotency_key=str(new_id()),
            route="bench",
            terms=_terms(code, desk.listing.symbol),
            source=source,
        )
        took.append(time.perf_counter() - started)
        assert result.outcome == "released", result.sentence
    return took


def _sample(desk: DeskWorld, codes: list[str]) -> UUID:
    """One captured order whose rows the floor writes again and again."""
    result = capture_order(
        actor=desk.dealer,
        at=utc_now(),
        idempotency_key=str(new_id()),
        route="bench",
        terms=_terms(codes[0], desk.listing.symbol),
        source="sample",
    )
    return result.order_id


class Floor:
    """The same rows as a capture's, with values taken from a real one, by two hand-made statements and a commit."""

    def __init__(self, order_id: UUID) -> None:
        self.sql, self.values, self.places = _floor_statement(order_id)
        self.number = 0

    def run(self, codes: list[str], count: int) -> float:
        """Seconds for ``count`` orders."""
        started = time.perf_counter()
        for number in range(count):
            self._one(codes[number % len(codes)], utc_now())
        return time.perf_counter() - started

    def _one(self, code: str, at: datetime) -> None:
        self.number += 1
        order_id, key = new_id(), str(new_id())
        own = {
            "order_id": order_id,
            "request_id": new_id(),
            "ref": f"F-{self.number:09d}",
            "cl_ord_id": f"F{self.number:09d}.1",
            "event_1": new_id(),
            "event_2": new_id(),
            "stream": f"order:{order_id}",
            "key": key,
            "at": at,
        }
        with transaction.atomic(), native_cursor() as cursor:
            cursor.execute(_LOCK, ["floor", key, code])
            row = cursor.fetchone()
            assert row is not None
            own |= {"account_id": row[0], "cash_id": row[1]}
            values = list(self.values)
            for place, name in self.places:
                values[place] = own[name]
            cursor.execute(self.sql, values)


_OWN = {
    "orders_order": {"id": "order_id", "ref": "ref", "root_id": "order_id", "cl_ord_id": "cl_ord_id", "account_id": "account_id"},
    "orders_orderrequest": {"id": "request_id", "order_id": "order_id", "cl_ord_id": "cl_ord_id"},
    "journal_event": {"stream": "stream"},
    "accounts_reservation": {"order_id": "order_id", "account_id": "account_id"},
    "journal_idempotencykey": {"key": "key"},
}  # fmt: skip


def _floor_statement(order_id: UUID) -> tuple[str, list[Any], list[tuple[int, str]]]:
    """The writing CTE, one set of values, and the places that differ from order to order."""
    parts: list[str] = []
    values: list[Any] = []
    places: list[tuple[int, str]] = []
    wanted = (
        ("orders_order", "id = %s", order_id, ()),
        ("orders_orderrequest", "order_id = %s", order_id, ()),
        ("journal_event", "stream = %s", f"order:{order_id}", ("position", "xid")),
        ("accounts_reservation", "order_id = %s", order_id, ()),
        ("journal_idempotencykey", "answer ->> 'order_id' = %s", str(order_id), ("id",)),
    )
    for table, condition, value, left_out in wanted:
        columns, rows = _rows(table, condition, value, left_out)
        for number, row in enumerate(rows, 1):
            for column, item in zip(columns, row, strict=True):
                own = _OWN[table].get(column)
                if table == "journal_event" and column == "id":
                    own = f"event_{number}"
                if table == "orders_order" and column == "source":
                    item = "floor"
                if column == "principal" or column == "route":
                    item = "floor"
                if own is not None:
                    places.append((len(values), own))
                values.append(item)
        one = f"({', '.join(['%s'] * len(columns))})"
        parts.append(f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([one] * len(rows))}")
    places.append((len(values), "cash_id"))
    values.append(None)
    ctes = ", ".join(f"w{number} AS ({part})" for number, part in enumerate(parts))
    sql = f"WITH {ctes} UPDATE accounts_cashbalance SET reserved = reserved + 72.50 WHERE id = %s"
    return numbered(sql), values, places


def _rows(table: str, condition: str, value: Any, left_out: tuple[str, ...]) -> tuple[list[str], list[list[Any]]]:
    """Columns and rows of a sample, JSON as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = %s "
            "AND NOT column_name = ANY(%s) ORDER BY ordinal_position",
            [table, list(left_out)],
        )
        described = cursor.fetchall()
        chosen = [f"{name}::text" if kind == "jsonb" else name for name, kind in described]
        cursor.execute(f"SELECT {', '.join(chosen)} FROM {table} WHERE {condition} ORDER BY 1", [value])
        return [name for name, _ in described], [list(row) for row in cursor.fetchall()]


def _verify(count: int) -> None:
    """What was measured really happened."""
    captured = Order.objects.filter(source="bench").count()
    assert captured == count, f"{captured} orders for {count} captures"
    total = Order.objects.exclude(source="x").count()
    held = CashBalance.objects.aggregate(held=Sum("reserved"))["held"]
    assert held == total * HELD, f"{held} held for {total} orders"
    assert Reservation.objects.count() == total
    assert Event.objects.filter(kind="OrderReleased").count() == total
