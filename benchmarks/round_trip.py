"""``round_trip``: submit → checks → durable → routed → FIX → simulator → acknowledged → state in the journal.

Relay, inbox, gateway and simulator run as in the house: the simulator and the gateway in processes of their own, relay
and inbox sharing one. Orders are offered at a fixed pace, whatever the answers do, and each is timed from the moment it
was *due* to the moment a reader of the journal sees that its request was accepted, as the screens' picture does: queueing
is counted. Data: 20 accounts with ample cash, limit buys of one listing that rest in an empty book. Verified: every order
accepted, every ClOrdID once on the wire. There is no floor: the goal is a time (p95 ≤ 50 ms at 300/s on two cores).
"""

from __future__ import annotations

import tempfile
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from benchmarks._roles import running, wait
from benchmarks.support import BenchDesk, build_desk
from journal.notify import EVENTS_CHANNEL, wait_for
from journal.selectors import list_events_after
from journal.selectors.horizon import Horizon
from kernel.clock import utc_now
from kernel.fix import OrdType, Side
from kernel.ids import new_id
from orders.domain.terms import OrderTerms
from orders.models import Order
from orders.services.capture_order import capture_order
from tests.factories import make_account
from venues.models import WireMessage

ACCOUNTS = 20
SUBMITTERS = 2
SMALL, FULL = (50, 500), (300, 9000)  # orders a second, orders
WARM = 50


class Watcher(threading.Thread):
    """Tails the journal and notes when each order's acceptance could be read."""

    def __init__(self) -> None:
        super().__init__(name="watcher", daemon=True)
        self.seen_at: dict[str, float] = {}
        self.stop = threading.Event()
        self.ready = threading.Event()

    def run(self) -> None:
        horizon = Horizon()
        position = horizon.position()
        self.ready.set()
        while not self.stop.is_set():
            events = list_events_after(position, limit=5000, kinds=["RequestAccepted"], up_to=horizon.position())
            now = time.perf_counter()
            for event in events:
                self.seen_at[str(event.payload["order_id"])] = now
                position = event.position
            if not events:
                wait_for([EVENTS_CHANNEL], 0.05, self.stop)
        connection.close()


def main(full: bool) -> dict[str, Any]:
    """Latencies in milliseconds from due to accepted at the offered rate; ``rate`` is what was accepted a second."""
    offered, count = FULL if full else SMALL
    desk = build_desk()
    accounts = [make_account(f"R{n:03d}", group=desk.world.group, cash="1000000000").code for n in range(ACCOUNTS)]
    watcher = Watcher()
    with tempfile.TemporaryDirectory() as directory, running(desk.world.listing.market, Path(directory)):
        try:
            watcher.start()
            watcher.ready.wait(10)
            _offer(desk, accounts, pace=SMALL[0], count=WARM, watcher=watcher)
            due, took_s = _offer(desk, accounts, pace=offered, count=count, watcher=watcher)
        finally:
            watcher.stop.set()
    latencies = sorted(watcher.seen_at[order_id] - moment for order_id, moment in due.items())
    _verify(count + WARM)
    return {
        "rate": round(count / took_s, 1),
        "offered": offered,
        "p50_ms": round(latencies[count // 2] * 1000, 2),
        "p95_ms": round(latencies[int(count * 0.95)] * 1000, 2),
        "p99_ms": round(latencies[int(count * 0.99)] * 1000, 2),
        "max_ms": round(latencies[-1] * 1000, 2),
        "goal_p95_ms": 50,
        "n": count,
        "accounts": ACCOUNTS,
    }


def _offer(
    desk: BenchDesk, accounts: list[str], *, pace: int, count: int, watcher: Watcher
) -> tuple[dict[str, float], float]:
    """Submit at the pace; when each order was due (seconds), and how long until the last was accepted."""
    due: dict[str, float] = {}
    started = time.perf_counter() + 0.1
    failures: list[BaseException] = []

    def submit(first: int) -> None:
        try:
            for number in range(first, count, SUBMITTERS):
                moment = started + number / pace
                time.sleep(max(moment - time.perf_counter(), 0))
                result = capture_order(
                    actor=desk.world.dealer,
                    at=utc_now(),
                    idempotency_key=str(new_id()),
                    route="bench",
                    terms=_terms(accounts[number % len(accounts)], desk.world.listing.symbol),
                    source="bench",
                )
                assert result.outcome == "released", result.sentence
                due[str(result.order_id)] = moment
        except BaseException as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=submit, args=(first,)) for first in range(SUBMITTERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    wait(lambda: due.keys() <= watcher.seen_at.keys(), "the last acknowledgement")
    return due, max(watcher.seen_at[order_id] for order_id in due) - started


def _terms(account: str, symbol: str) -> OrderTerms:
    return OrderTerms(
        account=account,
        symbol=symbol,
        side=Side.BUY,
        ord_type=OrdType.LIMIT,
        order_qty=Decimal(100),
        price=Decimal("72.50"),
    )


def _verify(count: int) -> None:
    """Every order accepted by the venue, every ClOrdID on the wire exactly once."""
    accepted = Order.objects.filter(source="bench", ord_status="0", requests__state="accepted").count()
    assert accepted == count, f"{accepted} of {count} orders are accepted"
    sent = list(WireMessage.objects.filter(direction="out", msg_type="D").values_list("cl_ord_id", flat=True))
    assert len(sent) == len(set(sent)) == count, f"{len(sent)} orders on the wire for {count}"
