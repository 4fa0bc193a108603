"""A desk that trades over the wire without an engine: doors, routing, hand-over, raw messages both ways, inbox."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from accounts.models import SuspenseAccount
from allocations.services import on_allocated_settle, on_executions
from authorisation.models import AuthorisationRequest
from journal.services.run_listener import run_listener
from kernel.clock import utc_now
from kernel.ids import new_id
from operations.services import on_anomaly_raised
from orders.domain.terms import ReplaceTerms
from orders.models import Order
from orders.services import on_kill_switch
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.decide_order_request import decide_order_request
from orders.services.replace_order import replace_order
from tests.factories import AT, DeskWorld, give_stock, make_account, make_desk, terms
from tests.factories.books import book_openings
from tests.factories.venues import make_session
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import format_message, utc_timestamp
from venues.models import FixSession, WireMessage
from venues.services import on_order_released
from venues.services.consume_inbox import consume_inbox
from venues.services.mark_handed_over import mark_handed_over
from venues.services.refuse_intent import refuse_intent

GROUP, SESSION, EPOCH = "T1", "T1-A", "E1"
LISTENERS = (
    ("orders.kill_switch", ("KillSwitchEngaged", "KillSwitchReleased"), on_kill_switch.handle),
    ("venues.route", ("OrderReleased", "ReplaceReleased", "CancelReleased"), on_order_released.handle),
    (
        "allocations.blocks",
        ("ExecutionRecorded", "ExecutionCorrected", "ExecutionBusted", "ExcessMoved"),
        on_executions.handle,
    ),
    (
        "allocations.settle",
        ("AllocationBooked", "AllocationReversed", "AllocationCompensated", "DirectTradesFormed"),
        on_allocated_settle.handle,
    ),
    ("operations.exceptions", ("AnomalyRaised", "AnomalyCleared"), on_anomaly_raised.handle),
)


class Desk:
    """One desk trading on a venue that says what the test tells it to say."""

    def __init__(self) -> None:
        self.world: DeskWorld = make_desk("FSK", cash="200000")
        give_stock(self.world.account, self.world.listing, "5000")
        SuspenseAccount.objects.create(desk=None, account=make_account("SUS-FSK", group=self.world.group, cash="0"))
        book_openings()
        self.session = make_session(name=SESSION, group=GROUP, mics=("XLON",))
        FixSession.objects.filter(name=SESSION).update(
            state=FixSession.State.LOGGED_ON, state_at=AT - timedelta(hours=1), last_in_at=AT, epoch=EPOCH
        )
        self.numbers = {"in": 0, "out": 0}

    def buy(self, *, outcome: str = "released", **changes: Any) -> Order:
        """An order as a dealer enters it."""
        result = capture_order(
            actor=self.world.dealer, at=AT, idempotency_key=str(new_id()), route="ticket",
            terms=terms(self.world, **changes), source="api",
        )  # fmt: skip
        assert result.outcome == outcome, result.checks
        return Order.objects.get(id=result.order_id)

    def replace(self, order: Order, **changes: Any) -> None:
        """Ask for other terms."""
        replace_order(
            actor=self.world.dealer, at=AT, idempotency_key=str(new_id()), route="api", order_id=order.id,
            terms=ReplaceTerms(**changes),
        )  # fmt: skip

    def cancel(self, order: Order) -> None:
        """Ask for its end."""
        cancel_order(
            actor=self.world.dealer, at=AT, idempotency_key=str(new_id()), route="api", order_id=order.id, reason="test"
        )

    def batch(self) -> None:
        """Two rows under one key."""
        rows = [("1", terms(self.world)), ("2", terms(self.world, symbol="NOPE"))]
        capture_orders(
            actor=self.world.dealer, at=AT, idempotency_key=str(new_id()), route="batch", rows=rows, source="api"
        )

    def decide(self, order: Order, verdict: str) -> None:
        """A second person's word."""
        asked = AuthorisationRequest.objects.get(state="pending", subject_id=str(order.requests.get(seq=1).id))
        decide_order_request(
            actor=self.world.checker, at=AT, authorisation_id=asked.id, verdict=verdict, reason_code="OTHER",
            reason="test", payload_hash=asked.payload_hash,
        )  # fmt: skip

    def send(self, *, at: datetime) -> None:
        """Relay and gateway: route, hand over, and put on the wire."""
        relay()
        handed = mark_handed_over(
            group=GROUP, session=SESSION, epoch=EPOCH, fence=0, adapter=adapter_named("fix44"), limit=50,
            only_safe=False, at=at,
        )  # fmt: skip
        for refusal in handed.not_sent:
            refuse_intent(intent_id=refusal.intent_id, code=refusal.code, sentence=refusal.sentence, at=AT)
        for outgoing in handed.outgoing:
            self._store("out", [*outgoing.fields], cl_ord_id=outgoing.cl_ord_id)

    def say(self, order: Order, exec_type: str, ord_status: str, **fields: Any) -> None:
        """One execution report, worked by the inbox."""
        name = fields.pop("cl_ord_id", order.cl_ord_id)
        number = self.numbers["in"] + 1
        values = [
            (35, "8"), (37, f"V-{order.ref}"), (17, fields.pop("exec_id", f"E{number}")), (11, name), (55, "VOD"),
            (54, order.side), (150, exec_type), (39, ord_status), (60, utc_timestamp(AT)),
            *((int(tag.removeprefix("t")), str(value)) for tag, value in fields.items()),
        ]  # fmt: skip
        self._store("in", values, cl_ord_id=name, venue_order_id=f"V-{order.ref}")
        self.work()

    def stray(self) -> None:
        """A trade on an order nobody knows."""
        fields = [
            (35, "8"), (37, "V-NOBODY"), (17, "N1"), (55, "VOD"), (207, "XLON"), (54, "1"), (150, "F"), (39, "1"),
            (38, "50"), (32, "20"), (31, "72.5"), (14, "20"), (151, "30"), (60, utc_timestamp(AT)),
        ]  # fmt: skip
        self._store("in", fields, venue_order_id="V-NOBODY")
        self.work()

    def babble(self) -> None:
        """A message nobody can work: an ExecType that does not exist."""
        self._store("in", [(35, "8"), (37, "V-X"), (17, "X"), (11, "X"), (150, "?"), (39, "0")])
        assert self.work() == 1

    def work(self) -> int:
        """The inbox, until it is empty; how many messages it set aside."""
        done = consume_inbox(session=SESSION, adapter_name="fix44", shards=None, limit=50, at=AT)
        return done.set_aside

    def _store(self, direction: str, fields: list[tuple[int, str]], **names: str) -> None:
        self.numbers[direction] += 1
        number = self.numbers[direction]
        numbered = (*fields[:1], (34, str(number)), (49, "A"), (56, "B"), (52, utc_timestamp(AT)), *fields[1:])
        WireMessage.objects.create(
            direction=direction, session=SESSION, epoch=EPOCH, msg_seq_num=number, msg_type=fields[0][1],
            raw=format_message("FIX.4.4", tuple(numbered)), sent_at=AT, recorded_at=AT, **names,
        )  # fmt: skip


def relay() -> None:
    """Every listener until nothing is left."""
    for name, kinds, handle in LISTENERS:
        while run_listener(name=name, kinds=kinds, handle=handle, at=utc_now()).handled:
            pass
