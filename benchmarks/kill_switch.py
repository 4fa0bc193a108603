"""``kill_switch``: press → last new order on the wire, last cancel sent, last outcome known, while orders keep coming.

Relay, inbox, gateway (the real FIX engine) and simulator run as in the house, in processes of their own. Data: 1,000 open
orders (10,000 with ``--full``) of 20 accounts resting in an empty book, and a submitter that goes on entering orders of the
same desk before, during and after the press. The press is that of the desk. Times are from the moment before the press is
called: ``press_ms`` to its commit; the last new order and the last cancel by the SendingTime the engine wrote; the last
outcome when a reader sees that nothing of the desk is open any more. Verified: nothing new was handed over after the
press committed, every order at the venue was canceled once, nothing stays reserved. There is no floor: the goals are times
(no new order after the press; all proven within the time that many cancels take to cross the wire); the processor time of
each role for one cancel says what a quieter machine would do.
"""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import connection

from accounts.models import CashBalance
from benchmarks._roles import cpu_ms, running, wait
from benchmarks.support import BenchDesk, build_desk
from journal.models import Event
from kernel.clock import utc_now
from kernel.fix import OrdType, Side
from kernel.ids import new_id
from orders.domain.stopping import Proof
from orders.domain.terms import OrderTerms
from orders.models import Order, OrderRequest
from orders.selectors.stopping import ProofCounts, list_proof_counts
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from risk.services.engage_kill_switch import PressResult, engage_kill_switch
from tests.factories import make_account
from venues.models import WireMessage

ACCOUNTS = 20
SMALL, FULL = 1_000, 10_000
PACE = 50  # new orders a second, before, during and after the press
BEFORE_S, AFTER_S = 1.0, 1.0
PATIENCE_S = 300


def main(full: bool) -> dict[str, Any]:
    """Times in milliseconds after the press; ``open`` is how many orders were at the venue when it was pressed."""
    wanted = FULL if full else SMALL
    desk = build_desk()
    accounts = [make_account(f"K{n:03d}", group=desk.world.group, cash="1000000000").code for n in range(ACCOUNTS)]
    with tempfile.TemporaryDirectory() as directory, running(desk.world.listing.market, Path(directory)) as roles:
        _fill(desk, accounts, wanted)
        submitter = _Submitter(desk, accounts)
        submitter.start()
        time.sleep(BEFORE_S)
        standing = Order.objects.filter(is_open=True).count()
        before = {name: cpu_ms(pid) for name, pid in roles.items()}
        started_at, started = utc_now(), time.perf_counter()
        pressed = _press(desk)
        press_ms = (time.perf_counter() - started) * 1000
        threading.Timer(AFTER_S, submitter.stop.set).start()
        outcome_ms = _until_over(started)
        used = {name: cpu_ms(pid) - before[name] for name, pid in roles.items()}
        submitter.join()
        wait(lambda: not Order.objects.filter(is_open=True).exists(), "the end of what came late", seconds=PATIENCE_S)
        proof = list_proof_counts(sweep_ids=[pressed.stops[0].stop_id])[pressed.stops[0].stop_id]
    _verify(pressed, proof, submitter)
    return {
        "open": standing,
        "press_ms": round(press_ms, 1),
        "last_new_order_ms": _sent_after("D", started_at),
        "last_cancel_ms": _sent_after("F", started_at),
        "last_outcome_ms": round(outcome_ms, 1),
        "cancels_a_second": round(proof.of(Proof.CANCELED) / (_sent_after("F", started_at) / 1000)),
        **{f"{name.partition(' ')[0]}_cpu_ms_a_cancel": round(used[name] / standing, 3) for name in used},
        "new_after_press": 0,
        "refused_after_press": submitter.refused,
        "canceled": proof.of(Proof.CANCELED),
        "never_sent": proof.of(Proof.NEVER_SENT),
        "pace": PACE,
        "accounts": ACCOUNTS,
    }


def _fill(desk: BenchDesk, accounts: list[str], wanted: int) -> None:
    """As many orders resting at the venue."""
    rows = [(str(n), _terms(accounts[n % ACCOUNTS], desk.world.listing.symbol)) for n in range(wanted)]
    capture_orders(
        actor=desk.world.dealer, at=utc_now(), idempotency_key="fill", route="bench", rows=rows, source="bench"
    )
    wait(lambda: Order.objects.filter(ord_status="0").count() == wanted, "the orders at the venue", seconds=PATIENCE_S)


@dataclass
class _Submitter:
    """Enters orders of the desk at a pace until told to stop; ``refused`` counts those the stop refused at capture."""

    desk: BenchDesk
    accounts: list[str]
    stop: threading.Event = field(default_factory=threading.Event)
    entered: int = 0
    refused: int = 0
    failure: BaseException | None = None

    def start(self) -> None:
        """In a thread of its own."""
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def join(self) -> None:
        """Until it has stopped; raises what it failed with."""
        self._thread.join()
        if self.failure is not None:
            raise self.failure

    def _run(self) -> None:
        try:
            while not self.stop.is_set():
                result = capture_order(
                    actor=self.desk.world.dealer,
                    at=utc_now(),
                    idempotency_key=str(new_id()),
                    route="bench",
                    terms=_terms(self.accounts[self.entered % ACCOUNTS], self.desk.world.listing.symbol),
                    source="bench",
                )
                self.entered += 1
                self.refused += result.outcome == "refused"
                time.sleep(1 / PACE)
        except BaseException as error:
            self.failure = error
        finally:
            connection.close()


def _press(desk: BenchDesk) -> PressResult:
    head = replace(desk.world.dealer, rights=desk.world.dealer.rights | {"engage_kill_switch"})
    scope = ("desk", str(desk.world.desk.pk))
    return engage_kill_switch(actor=head, at=utc_now(), scopes=[scope], reason="Measured")


def _until_over(started: float) -> float:
    """Milliseconds until nothing is open; looked at often, and cheaply."""
    deadline = time.monotonic() + PATIENCE_S
    while Order.objects.filter(is_open=True).exists():
        assert time.monotonic() < deadline, "not every order was over in time"
        time.sleep(0.02)
    return (time.perf_counter() - started) * 1000


def _sent_after(msg_type: str, started_at: datetime) -> float:
    """Milliseconds after the press when the engine sent the last message of a type; 0 when before it."""
    sent = WireMessage.objects.filter(direction="out", msg_type=msg_type).values_list("sent_at", flat=True)
    last = max((at for at in sent if at is not None), default=started_at)
    return max(round((last - started_at).total_seconds() * 1000, 1), 0.0)


def _verify(pressed: PressResult, proof: ProofCounts, submitter: _Submitter) -> None:
    """Nothing new was handed over after the press; each order at the venue was canceled by it, once."""
    assert pressed.drained, "a batch was given up"
    position = Event.objects.get(kind="KillSwitchEngaged").position
    late = Event.objects.filter(kind="RequestHandedOver", payload__kind="new", position__gt=position).count()
    assert late == 0, f"{late} new orders were handed over after the press"
    sent = WireMessage.objects.filter(direction="out")
    new, cancels = (sent.filter(msg_type=kind).values_list("cl_ord_id", flat=True) for kind in ("D", "F"))
    assert len(cancels) == len(set(cancels)) == len(new), f"{len(cancels)} cancels for {len(new)} orders"
    assert proof.unproven == 0, f"{proof.unproven} orders are not proven over"
    assert proof.of(Proof.CANCELED) == len(new), f"{proof.of(Proof.CANCELED)} proven canceled of {len(new)}"
    assert submitter.refused > 0, "no order came after the press"
    assert OrderRequest.objects.filter(kind="cancel").count() == len(new), "an order was asked for twice"
    assert not CashBalance.objects.exclude(reserved=0).exists(), "something is still reserved"


def _terms(account: str, symbol: str) -> OrderTerms:
    return OrderTerms(
        account=account,
        symbol=symbol,
        side=Side.BUY,
        ord_type=OrdType.LIMIT,
        order_qty=Decimal(100),
        price=Decimal("72.50"),
    )
