"""``capture_limits``: what marks on usage cost a capture, alone and when two processes take of the same firm-wide mark.

Floor: the same captures without any mark on usage, in turns of one process (each turn begins or ends the counting), and by
two processes at once. With marks: the firm's open value, the desk's gross of the day and the open orders of each account, so
three sums an order; for two processes also the firm's alone, which is the one row all of them lock. Data: 100 accounts with
ample cash, each process its own half. Verified: every order counts, and the sums are those of the orders.
"""

from __future__ import annotations

import multiprocessing
import time
from typing import Any

from django.db import connection

from accounts.models import TradingAccount
from benchmarks.capture import TURN, _captures
from benchmarks.support import build_desk
from orders.models import Order
from risk.domain.usage import COUNTED_KINDS
from risk.models import DailyUsage, Limit, LimitUsage
from tests.factories import DeskWorld, make_account, set_mark

ACCOUNTS = 100
WIDE = "1000000000000"


def main(full: bool) -> dict[str, Any]:
    """Rates per second with and without marks, their ratio, and the same for two processes."""
    turns = 100 if full else 16
    desk = build_desk().world
    codes = [make_account(f"B{n:03d}", group=desk.group, cash="1000000000").code for n in range(ACCOUNTS)]
    _captures(desk, codes, TURN * 2, "warm")
    bare = marked = 0.0
    for _ in range(turns):
        bare += sum(_captures(desk, codes, TURN, "bare"))
        _mark(desk, codes)
        marked += sum(_captures(desk, codes, TURN, "marked"))
        _verify()
        _unmark()
    count = turns * TURN
    two = _two(desk, codes, count // 2)
    set_mark("open_notional", WIDE)
    two_firm = _two(desk, codes, count // 2)
    _mark(desk, codes)
    two_all = _two(desk, codes, count // 2)
    _verify()
    return {
        "rate": round(count / marked, 1),
        "floor_rate": round(count / bare, 1),
        "ratio": round(bare / marked, 3),
        "cost_ms": round((marked - bare) / count * 1000, 3),
        "two_rate": round(two, 1),
        "two_firm_rate": round(two_firm, 1),
        "two_firm_ratio": round(two_firm / two, 3),
        "two_all_ratio": round(two_all / two, 3),
        "n": count,
    }


def _mark(desk: DeskWorld, codes: list[str]) -> None:
    set_mark("open_notional", WIDE)
    set_mark("daily_gross", WIDE, scope="desk", scope_id=desk.desk.pk)
    for account_id in TradingAccount.objects.filter(code__in=codes).values_list("id", flat=True):
        set_mark("open_orders", "1000000", scope="account", scope_id=account_id)


def _unmark() -> None:
    Limit.objects.filter(kind__in=COUNTED_KINDS).delete()
    LimitUsage.objects.all().delete()
    DailyUsage.objects.all().delete()


def _two(desk: DeskWorld, codes: list[str], count: int) -> float:
    """Captures a second of two processes at once, each on its own accounts."""
    connection.close()
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(3)
    halves = (codes[: ACCOUNTS // 2], codes[ACCOUNTS // 2 :])
    workers = [context.Process(target=_work, args=(desk, half, count, gate)) for half in halves]
    for worker in workers:
        worker.start()
    gate.wait(60)
    started = time.perf_counter()
    for worker in workers:
        worker.join()
    took = time.perf_counter() - started
    assert all(worker.exitcode == 0 for worker in workers), "a capture of two processes failed"
    return 2 * count / took


def _work(desk: DeskWorld, codes: list[str], count: int, gate: Any) -> None:
    connection.close()
    _captures(desk, codes, 10, "two")
    gate.wait(60)
    _captures(desk, codes, count, "two")


def _verify() -> None:
    """The firm counts every open order, at its value."""
    firm, orders = LimitUsage.objects.get(key="firm:"), Order.objects.filter(is_open=True).count()
    assert firm.open_orders == orders, f"{firm.open_orders} counted of {orders} orders"
    assert firm.open_buy * 2 == 145 * orders, f"{firm.open_buy} for {orders} orders"
