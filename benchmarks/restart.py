"""``restart``: the picture from its latest snapshot and the events after it, against a replay of the journal from nothing.

Data: open orders of 200 accounts, each new and then filled ten times in part, captured, handed over and reported through the
real services, in batches. The snapshot is taken with the last hundredth of the events still to come. Both roads end in the
same picture and equal the tables; that is verified, as is the whole journal folded again through the pure core
(``./oms replay``), whose speed is told as ``fold_rate``. ``rate`` and ``floor_rate`` count reports a second.
"""

from __future__ import annotations

import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson

from accounts.models import CashBalance, TradingAccount
from accounts.services.deposit import Deposit, deposit
from accounts.services.open_account import open_account
from authorisation.domain.principal import process_principal
from benchmarks.support import BenchDesk, build_desk
from journal.models import Event
from journal.selectors import Horizon
from journal.services.advance_projection import advance_projection
from journal.services.load_snapshot import load_snapshot
from journal.services.store_snapshot import store_snapshot
from kernel.clock import utc_now
from kernel.fix import ExecType, OrdStatus
from operations.domain.picture_state import PictureState
from operations.services.compare_picture import compare_picture
from operations.services.compare_replay import compare_replay
from orders.domain.report import Position, Report
from orders.models import OrderRequest
from orders.services.apply_reports import apply_reports
from orders.services.capture_orders import capture_orders
from orders.services.record_hand_over import record_hand_over
from tests.factories import terms

ACCOUNTS = 200
FILLS = 10
ORDERS = 1_000
ORDERS_FULL = 100_000
BATCH = 500
TAIL = 100
ROUNDS = 3


def main(full: bool) -> dict[str, Any]:
    """Seconds of both roads as rates, their ratio, the size of the snapshot in bytes."""
    orders = ORDERS_FULL if full else ORDERS
    _live(build_desk(), orders)
    ceiling = Horizon().position()
    reports = Event.objects.filter(kind="ReportApplied").count()
    assert reports == orders * (FILLS + 1), f"{reports} reports applied"
    size = _keep(ceiling)
    replayed, started = [], []
    for _ in range(ROUNDS):
        seconds, whole = _from_nothing(ceiling)
        replayed.append(seconds)
        seconds, again = _from_snapshot(ceiling)
        started.append(seconds)
        assert _text(whole) == _text(again), "a start from the snapshot ends in another picture"
    compared = compare_picture(state=again, position=ceiling)
    assert compared.equal, compared.differences[:3]
    assert compared.orders == orders, f"{compared.orders} orders compared"
    begun = time.perf_counter()
    result = compare_replay()
    fold_s = time.perf_counter() - begun
    assert result.differences == [], result.differences[:3]
    assert result.orders == orders
    replay_s, start_s = min(replayed), min(started)
    return {
        "rate": round(reports / start_s, 1),
        "floor_rate": round(reports / replay_s, 1),
        "ratio": round(replay_s / start_s, 2),
        "start_s": round(start_s, 3),
        "replay_s": round(replay_s, 3),
        "fold_rate": round(reports / fold_s, 1),
        "fold_s": round(fold_s, 2),
        "snapshot_bytes": size,
        "n": reports,
        "orders": orders,
        "accounts": ACCOUNTS,
    }


def _text(state: PictureState) -> bytes:
    return orjson.dumps(state.body(), option=orjson.OPT_SORT_KEYS)


def _from_nothing(ceiling: int) -> tuple[float, PictureState]:
    begun, state, position = time.perf_counter(), PictureState(), 0
    while position < ceiling:
        position = advance_projection(projection=state, position=position, up_to=ceiling)
    return time.perf_counter() - begun, state


def _from_snapshot(ceiling: int) -> tuple[float, PictureState]:
    begun, state = time.perf_counter(), PictureState()
    position = load_snapshot(projection=state, at=utc_now())
    assert 0 < position < ceiling
    while position < ceiling:
        position = advance_projection(projection=state, position=position, up_to=ceiling)
    return time.perf_counter() - begun, state


def _keep(ceiling: int) -> int:
    """The snapshot of a while ago."""
    state, position, until = PictureState(), 0, ceiling - ceiling // TAIL
    while position < until:
        position = advance_projection(projection=state, position=position, up_to=until)
    return store_snapshot(projection=state, position=position, at=utc_now())


def _live(desk: BenchDesk, orders: int) -> None:
    """Accounts with ample cash, and their orders as far as the venue has filled them."""
    world = desk.world
    actor, at = process_principal("bench"), utc_now()
    CashBalance.objects.filter(account=world.account).delete()  # made without events, which a replay would find
    TradingAccount.objects.filter(id=world.account.id).delete()
    codes = []
    for number in range(ACCOUNTS):
        account = open_account(
            actor=actor, at=at, business_date=at.date(), code=f"R{number:04d}", name="", group=world.group,
            client=world.account.client, base_currency="GBP",
        )  # fmt: skip
        funds = [Deposit(account.id, Decimal(10) ** 12, currency="GBP")]
        deposit(actor=actor, at=at, business_date=at.date(), deposits=funds, kind="opening")
        codes.append(account.code)
    seq = 0
    for start in range(0, orders, BATCH):
        count = min(BATCH, orders - start)
        rows = [
            (str(n), terms(world, account=codes[(start + n) % ACCOUNTS], order_qty=Decimal(1000))) for n in range(count)
        ]
        at = utc_now()
        capture_orders(actor=world.dealer, at=at, idempotency_key=f"b{start}", route="bench", rows=rows, source="bench")
        seq = _report(seq)


def _report(seq: int) -> int:
    """Hand over what was captured, then New and the fills, all orders in turn."""
    at = utc_now()
    waiting = list(OrderRequest.objects.filter(state="released").values_list("id", "cl_ord_id"))
    record_hand_over(request_ids=[request_id for request_id, _ in waiting], at=at)
    for step in range(FILLS + 1):
        reports = []
        for _, cl_ord_id in waiting:
            seq += 1
            reports.append(
                Report(
                    msg_type="8",
                    position=Position("bench", seq),
                    identity=f"bench|{seq}",
                    received_at=at,
                    event_at=at - timedelta(milliseconds=3),
                    trade_date=at.date(),
                    exec_type=ExecType.TRADE if step else ExecType.NEW,
                    ord_status=OrdStatus.PARTIALLY_FILLED if step else OrdStatus.NEW,
                    cl_ord_id=cl_ord_id,
                    venue_order_id=f"V{cl_ord_id}",
                    exec_id=f"X{seq}",
                    order_qty=Decimal(1000),
                    last_qty=Decimal(50) if step else Decimal(0),
                    last_px=Decimal("72.50") if step else Decimal(0),
                    cum_qty=Decimal(50 * step),
                    leaves_qty=Decimal(1000 - 50 * step),
                    last_mkt="XLON" if step else "",
                    wire_message_id=seq,
                    session="BENCH-A",
                )
            )
        apply_reports(reports=reports, at=at)
    return seq
