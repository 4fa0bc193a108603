"""A used database: orders of every fate, from the doors to the wire and back, with everything the relay would have done."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from accounts.models import SuspenseAccount
from accounts.services.deposit import Deposit, deposit
from authorisation.domain.principal import process_principal
from authorisation.models import AuthorisationRequest
from journal.services.run_listener import run_listener
from journal.services.seal_events import seal_events
from kernel.clock import utc_now
from kernel.fix import OrdType, Side
from kernel.ids import new_id
from operations.services import on_anomaly_raised
from orders.domain.terms import ReplaceTerms
from orders.models import Order, OrderRequest
from orders.scenario_file import read_scenarios
from orders.scenario_play import play
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.capture_orders import capture_orders
from orders.services.decide_order_request import decide_order_request
from orders.services.replace_order import replace_order
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block
from tests.factories import AT, DeskWorld, give_stock, make_account, make_desk, terms
from tests.factories.books import book_openings
from tests.factories.venues import make_session
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import format_message, utc_timestamp
from venues.models import FixSession, WireMessage
from venues.scenario_database import DatabaseHouse, make_world
from venues.services import on_order_released
from venues.services.consume_inbox import consume_inbox
from venues.services.mark_handed_over import mark_handed_over
from venues.services.mark_silent import mark_silent
from venues.services.refuse_intent import refuse_intent

SCRIPTS = Path(__file__).resolve().parents[2] / "venue_scripts"
PLAYED = ("A.1.a", "B.1.b", "C.1.b", "C.1.a", "D.2.a", "E.1.a", "F.1.a", "G.1.a", "H.1.c", "J.1.b", "J.1.c", "4.2/D18")
GROUP, SESSION, EPOCH = "T1", "T1-A", "E1"
LISTENERS = (
    ("venues.route", ("OrderReleased", "ReplaceReleased", "CancelReleased"), on_order_released.handle),
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


def play_scenarios(names: tuple[str, ...] = PLAYED) -> None:
    """The main path of some scenarios through doors, raw messages and tables."""
    wanted = [s for s in read_scenarios(SCRIPTS / "order_state_scenarios.json") if s.id in names]
    assert len(wanted) == len(names)
    for run, scenario in enumerate(sorted(wanted, key=lambda s: s.spec_version), start=1):
        phoned = any(step.direction == "in" and not step.order for step in scenario.paths[0].steps)
        house = DatabaseHouse(make_world(scenario.spec_version), scenario.spec_version, run, phoned=phoned)
        assert play(scenario.paths[0], house, spec_version=scenario.spec_version) == ()


def use_the_desk() -> None:
    """Orders of every fate on a desk of its own."""
    desk = Desk()
    desk.buy()
    desk.send(at=AT)
    mark_silent(group=GROUP, older_than=timedelta(seconds=10), sentence="No answer.", at=AT + timedelta(seconds=11))
    live, filled = desk.buy(), desk.buy()
    sold = desk.buy(side=Side.SELL)
    desk.buy(outcome="refused", order_qty=Decimal(200_000))
    desk.buy(outcome="pending_authorisation", order_qty=Decimal(55_000))
    approved = desk.buy(outcome="pending_authorisation", order_qty=Decimal(51_000))
    declined = desk.buy(outcome="pending_authorisation", order_qty=Decimal(52_000))
    desk.decide(approved, "approve")
    desk.decide(declined, "decline")
    desk.cancel(desk.buy())
    desk.batch()
    desk.send(at=AT + timedelta(seconds=20))
    desk.say(live, "0", "0", t38=1000, t14=0, t151=1000)
    desk.say(live, "F", "1", exec_id="T1", t38=1000, t32=300, t31="72.5", t14=300, t151=700)
    desk.say(filled, "F", "2", exec_id="T2", t38=1000, t32=1000, t31="72.49", t14=1000, t151=0)
    desk.say(filled, "F", "2", exec_id="T3", t38=1000, t32=10, t31="72.48", t14=1010, t151=0)  # more than was ordered
    desk.stray()
    desk.say(sold, "F", "1", exec_id="T4", t38=1000, t32=400, t31="72.51", t14=400, t151=600)
    desk.say(sold, "H", "1", exec_id="T5", t19="T4", t38=1000, t32=400, t31="72.51", t14=0, t151=1000)
    desk.say(approved, "0", "0", t38=51000, t14=0, t151=51000)
    live.refresh_from_db()
    desk.replace(live, order_qty=Decimal(1200))
    desk.cancel(sold)
    desk.send(at=AT + timedelta(seconds=30))
    desk.babble()
    desk.buy(ord_type=OrdType.MARKET, price=None)
    relay()
    stop_and_go(desk.world.account.id)


def stop_and_go(account_id: UUID) -> None:
    """A block that stood for a while."""
    actor, scope = process_principal("test"), {"scope": "account", "scope_id": str(account_id), "source": "test"}
    impose_block(actor=actor, at=AT + timedelta(hours=2), reason="test", **scope)
    lift_block(actor=actor, at=AT + timedelta(hours=3), reason="test", **scope)


def make_used_database() -> None:
    """Everything above, committed."""
    play_scenarios()
    use_the_desk()
    relay()
    actor = process_principal("test")
    account_id = Order.objects.filter(account__code="SCN").values_list("account_id", flat=True)[0]
    deposit(actor=actor, at=AT, business_date=AT.date(), deposits=[Deposit(account_id, Decimal(5), currency="GBP")])
    assert OrderRequest.objects.filter(state="unknown").count() == 1
    assert seal_events(at=AT).sealed


def write_truth(directory: Path) -> Path:
    """What a venue would say of the desk's orders that are at rest, in the form of the simulator's file."""
    venue = directory / "V"
    venue.mkdir()
    lines = []
    for order in Order.objects.filter(session_group=GROUP, ord_status__isnull=False).order_by("id"):
        trades = order.executions.filter(effective_qty__gt=0)
        state = {
            "order_id": order.venue_order_id, "lineage": [order.requests.get(seq=1).cl_ord_id],
            "ord_status": order.ord_status, "order_qty": str(order.order_qty), "cum_qty": str(order.cum_qty),
            "leaves_qty": str(order.leaves_qty), "price": str(order.price) if order.price else None,
        }  # fmt: skip
        lines.append(
            {
                "at": AT.isoformat(), "kind": "carried", "delivery": "sent", "order": state, "execution": None,
                "trades": {row.exec_id: [str(row.effective_qty), str(row.effective_px)] for row in trades},
            }
        )  # fmt: skip
    (venue / "truth.jsonl").write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    return directory
