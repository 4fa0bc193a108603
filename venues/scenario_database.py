"""``./oms scenarios FILE.json --database``: the same files through doors, routing, wire messages, adapters and tables.

Our sends go through the doors a dealer uses and are handed over as the gateway does, only without an engine behind
it; the venue's rows become raw FIX messages of the file's dialect, stored in the inbox and consumed from there. What
is compared stands in the orders table. The database must be a throw-away one: the run makes a small world of its own.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from journal.services.run_listener import run_listener
from kernel.errors import Conflict, Invalid, NotFound, OmsError, Refused
from kernel.fix import OrdType, Side, TimeInForce
from kernel.ids import new_id
from kernel.numbers import plain
from orders.domain.results import CaptureResult
from orders.domain.terms import OrderTerms, ReplaceTerms
from orders.models import Execution, Order
from orders.scenario_file import Scenario, Step
from orders.scenario_play import Copy, Delivery, End, House, Seen
from orders.scenario_runner import BAD_INPUT, FIRST_DAY, USAGE, options_of, reason_code, run_file
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.record_phoned_order import record_phoned_order
from orders.services.replace_order import replace_order
from refdata.models import ReferencePrice
from risk.domain.answers import Verdict
from venues.adapters.base import Adapter
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import format_message, utc_timestamp
from venues.models import WireMessage
from venues.scenario_world import ADAPTERS, BEGIN_STRINGS, DEFAULT_PX, ROUTE, SYMBOL, World, make_world, moment
from venues.services import on_order_released
from venues.services.consume_inbox import consume_inbox
from venues.services.mark_handed_over import mark_handed_over

RELEASED_KINDS = ("OrderReleased", "ReplaceReleased", "CancelReleased")
EPSILON = timedelta(microseconds=1)
PATIENCE_S = 10
_OUR_TIFS = frozenset(TimeInForce)


class DatabaseHouse:
    """One path through the whole house. Names of the file are turned into ours on the way in and back on the way out."""

    def __init__(self, world: World, spec_version: str, run: int, *, phoned: bool) -> None:
        self._world = world
        self._spec = spec_version
        self._run = run
        self._epoch = f"{run:08d}"
        self._adapter: Adapter = adapter_named(ADAPTERS[spec_version])
        self._orders: dict[str, UUID] = {}
        self._real: dict[str, str] = {}
        self._places = 0
        if phoned:
            self._orders[""] = self._phone("", moment(1, 0))

    def send(self, step: Step, place: int) -> None:
        """Through the door a dealer uses, then routed and handed over. What our doors refuse is simply not sent."""
        at = moment(step.day, place)
        name = step.text["clordid"]
        if step.msg == "H" or (step.msg == "D" and name in self._real):
            return
        if step.msg in "GF" and step.order not in self._orders:
            self._ask_for_unknown(step, at)
            return
        try:
            result = self._door(step, at)
        except OmsError as error:
            _say(f"{self._run} seq {step.seq}: our door refused {name}: {error}")
            return
        if result is None:
            return
        if result.outcome != "released":
            refusals = ", ".join(check.code for check in result.checks if check.verdict is not Verdict.PASS)
            _say(f"{self._run} seq {step.seq}: our checks {result.outcome} {name}: {refusals}")
            return
        self._real[name] = result.cl_ord_id
        if step.msg == "D":
            self._orders[step.order] = result.order_id
        self._hand_over(step, at)

    def receive(self, deliveries: Sequence[Delivery]) -> None:
        """Store the rows as raw messages, then let the inbox consumer work them as one batch."""
        for delivery in deliveries:
            self._store(delivery)
        last = deliveries[-1]
        at = moment(last.step.day, last.place)
        session = self._world.session
        deadline = time.monotonic() + PATIENCE_S
        handled = 0
        while handled < len(deliveries):
            done = consume_inbox(
                session=session.name, adapter_name=session.venue.adapter, shards=None, limit=len(deliveries), at=at
            )
            handled += done.handled + done.set_aside
            if done.set_aside or time.monotonic() > deadline:
                _say(f"{self._run} seq {last.step.seq}: the inbox did not work the message: {done}")
                break
            if not done.handled:
                time.sleep(0.02)

    def begin_epoch(self, epoch: str) -> None:
        """The numbers of the session start again (or, for late arrivals, are those of before)."""
        self._epoch = epoch

    def _store(self, delivery: Delivery) -> None:
        at = moment(delivery.step.day, delivery.place)
        fields = self._fields(delivery, at)
        values = dict(fields)
        WireMessage.objects.create(
            direction=WireMessage.Direction.IN,
            session=self._world.session.name,
            epoch=self._epoch,
            msg_seq_num=delivery.msg_seq_num,
            msg_type=delivery.step.msg,
            cl_ord_id=values.get(11, ""),
            venue_order_id="" if values[37] == "NONE" else values[37],
            raw=format_message(BEGIN_STRINGS[self._spec], fields),
            sent_at=at,
            recorded_at=at,
        )

    def look(self, order: str, day: int) -> Seen | None:
        """The order as its table row says."""
        row = self._row(order)
        return self._seen(row) if row is not None else None

    def end(self, order: str, day: int) -> End | None:
        """The same with the average price and the executions that still count."""
        row = self._row(order)
        if row is None:
            return None
        counted = Execution.objects.filter(order_id=row.id, effective_qty__gt=0).order_by("id")
        return End(self._seen(row), row.avg_px, tuple((e.exec_id, e.effective_qty, e.effective_px) for e in counted))

    def _row(self, order: str) -> Order | None:
        order_id = self._orders.get(order)
        if order_id is not None:
            return Order.objects.filter(id=order_id).first()
        return Order.objects.filter(venue_order_id=self._venue_id(order)).first()

    def _seen(self, row: Order) -> Seen:
        names = {real: name for name, real in self._real.items()}
        own = row.cl_ord_id or ""
        cl_ord_id = names.get(own, own.removesuffix(f"-{self._run}")) or None
        return Seen(row.ord_status, row.order_qty, row.cum_qty, row.leaves_qty, cl_ord_id)

    def _door(self, step: Step, at: datetime) -> CaptureResult | None:
        key = f"{self._run}-{step.seq}-{new_id()}"
        world = self._world
        if step.msg == "F":
            return cancel_order(
                actor=world.dealer,
                at=at,
                idempotency_key=key,
                route=ROUTE,
                order_id=self._orders[step.order],
                reason="scenario",
            )
        if step.msg == "G":
            return replace_order(
                actor=world.dealer,
                at=at,
                idempotency_key=key,
                route=ROUTE,
                order_id=self._orders[step.order],
                terms=self._replace_terms(step),
            )
        if "orderqty" not in step.number:
            self._by_cash_amount(step, at)
            return None
        self._price(at)
        time_in_force = step.text.get("tif", "0")
        terms = OrderTerms(
            account=world.account.code,
            symbol=world.listing.symbol,
            side=Side.BUY,
            ord_type=OrdType.LIMIT,
            order_qty=step.number["orderqty"],
            price=step.number.get("price", DEFAULT_PX),
            # A time in force our doors do not know ends with the day, as far as its state is concerned.
            time_in_force=TimeInForce(time_in_force) if time_in_force in _OUR_TIFS else TimeInForce.DAY,
            expire_date=FIRST_DAY + timedelta(days=30) if time_in_force == TimeInForce.GTD else None,
        )
        return capture_order(
            actor=world.dealer, at=at, idempotency_key=key, route=ROUTE, terms=terms, source="scenario"
        )

    def _replace_terms(self, step: Step) -> ReplaceTerms:
        """Some rows change "something else than the quantity" and do not say what: then it is the price."""
        order_qty, price = step.number.get("orderqty"), step.number.get("price")
        had = Order.objects.values_list("order_qty", "price").get(id=self._orders[step.order])
        if order_qty == had[0] and price in (None, had[1]):
            price = (had[1] or DEFAULT_PX) + 1
        return ReplaceTerms(order_qty=order_qty, price=price)

    def _by_cash_amount(self, step: Step, at: datetime) -> None:
        """Our doors take no order by cash amount; such a one is put on record as phoned, under an agreed ClOrdID."""
        name = step.text["clordid"]
        self._real[name] = f"{name}-{self._run}"
        self._orders[step.order] = self._phone(step.order, at, cl_ord_id=self._real[name])

    def _ask_for_unknown(self, step: Step, at: datetime) -> None:
        """A replace or cancel of an order we do not have: our doors must say so."""
        try:
            cancel_order(
                actor=self._world.dealer,
                at=at,
                idempotency_key=f"{self._run}-{step.seq}-{new_id()}",
                route=ROUTE,
                order_id=new_id(),
                reason="scenario",
            )
        except (NotFound, Invalid, Conflict, Refused):
            return
        _say(f"{self._run} seq {step.seq}: our door took a request about an order that does not exist")

    def _hand_over(self, step: Step, at: datetime) -> None:
        """Relay and gateway, in one place: the released event is routed, the intent claimed, mapped and handed over."""
        session = self._world.session
        deadline = time.monotonic() + PATIENCE_S
        while True:
            # An event is read only once no older transaction of the server can still commit before it.
            run_listener(name=ROUTE, kinds=RELEASED_KINDS, handle=on_order_released.handle, at=at)
            handed = mark_handed_over(
                group=session.group,
                session=session.name,
                epoch=self._epoch,
                fence=session.fence,
                adapter=self._adapter,
                limit=10,
                only_safe=False,
                at=at + EPSILON,
            )
            if handed.claimed or time.monotonic() > deadline:
                break
            time.sleep(0.02)
        if not handed.claimed:
            _say(f"{self._run} seq {step.seq}: the request never reached the gateway")
        for outgoing in handed.outgoing:
            self._places += 1
            fields = (*outgoing.fields[:1], (34, str(self._places)), (49, "OMS"), (56, "VENUE"), *outgoing.fields[1:])
            WireMessage.objects.create(
                direction=WireMessage.Direction.OUT,
                session=session.name,
                epoch=self._epoch,
                msg_seq_num=self._places,
                msg_type=step.msg,
                cl_ord_id=outgoing.cl_ord_id,
                raw=format_message(BEGIN_STRINGS[self._spec], fields),
                sent_at=at,
                recorded_at=at,
            )
        for not_sent in handed.not_sent:
            _say(f"{self._run} seq {step.seq}: not sent: {not_sent.code} {not_sent.sentence}")

    def _phone(self, order: str, at: datetime, *, cl_ord_id: str | None = None) -> UUID:
        """The order that was given by phone: known by the venue's OrderID."""
        world = self._world
        self._price(at)
        return record_phoned_order(
            actor=world.dealer,
            at=at,
            account=world.account.code,
            symbol=world.listing.symbol,
            side=Side.BUY,
            session_group=world.session.group,
            venue_order_id=self._venue_id(order),
            cl_ord_id=cl_ord_id,
        )

    def _price(self, at: datetime) -> None:
        ReferencePrice.objects.update_or_create(
            listing=self._world.listing,
            defaults={"last": DEFAULT_PX, "previous_close": DEFAULT_PX, "source": ROUTE, "priced_at": at},
        )

    def _venue_id(self, order: str) -> str:
        return f"V-{order}-{self._run}"

    def _name(self, name: str) -> str:
        # A name we never sent stays foreign, and differs from path to path.
        return self._real.get(name, f"{name}-{self._run}")

    def _fields(self, delivery: Delivery, at: datetime) -> tuple[tuple[int, str], ...]:
        step = delivery.step
        order_id = step.text.get("orderid", self._venue_id(step.order))
        fields: list[tuple[int, str | None]] = [
            (35, step.msg),
            (34, str(delivery.msg_seq_num)),
            (49, "VENUE"),
            (56, "OMS"),
            (43, "Y" if delivery.copy is Copy.POSS_DUP else None),
            (52, utc_timestamp(at)),
            (97, "Y" if delivery.poss_resend else step.text.get("possresend")),
            (37, order_id),
            (11, self._name(step.text["clordid"]) if "clordid" in step.text else None),
            (41, self._name(step.text["origclordid"]) if "origclordid" in step.text else None),
            (39, step.text.get("ordstatus")),
            (60, utc_timestamp(at)),
            (58, step.text.get("reason")),
        ]
        fields += self._report_fields(step) if step.msg == "8" else _reject_fields(step)
        return tuple((tag, value) for tag, value in fields if value is not None and value != "")

    def _report_fields(self, step: Step) -> list[tuple[int, str | None]]:
        number = step.number
        last_px = number.get("lastpx", number.get("price", DEFAULT_PX))
        return [
            (17, step.text.get("execid", str(step.seq))),
            (19, step.text.get("execref")),
            (20, step.text.get("exectranstype", "0") if self._spec == "4.2" else None),
            (150, step.text["exectype"]),
            (55, SYMBOL),
            (54, "1"),
            (38, _text(number.get("orderqty"))),
            (44, _text(number.get("price"))),
            (32, _text(number.get("lastqty", Decimal(0)))),
            (31, _text(last_px)),
            (14, None if step.is_anomaly else _text(number.get("cumqty"))),
            (151, None if step.is_anomaly else _text(number.get("leavesqty"))),
            (6, _text(number.get("avgpx", Decimal(0)))),
            (75, moment(step.day, 0).strftime("%Y%m%d")),
            (378, reason_code(step, "ExecRestatementReason")),
            (103, reason_code(step, "OrdRejReason")),
            (424, _text(number.get("dayorderqty"))),
            (425, _text(number.get("daycumqty"))),
        ]


def _reject_fields(step: Step) -> list[tuple[int, str | None]]:
    return [(102, reason_code(step, "CxlRejReason")), (434, "1")]


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def _say(sentence: str) -> None:
    sys.stderr.write(f"path {sentence}\n")


class _Houses:
    """Makes an empty house for each path; the desk is shared, names and numbers are not."""

    def __init__(self) -> None:
        self._worlds: dict[str, World] = {}
        self._runs = 0

    def __call__(self, scenario: Scenario, steps: Sequence[Step]) -> House:
        self._runs += 1
        spec = scenario.spec_version
        # Routing looks at which venue trades the market, so the dialect's world is made current each time it changes.
        if spec not in self._worlds:
            self._worlds = {spec: make_world(spec)}
        phoned = any(step.direction == "in" and not step.order for step in steps)
        return DatabaseHouse(self._worlds[spec], spec, self._runs, phoned=phoned)


def main(argv: Sequence[str]) -> int:
    """``main(["FILE.json"])`` in a process with Django set up on a throw-away database; exit codes as the pure run."""
    options = options_of([word for word in argv if word != "--database"])
    if options is None:
        sys.stderr.write(f"{USAGE}\n")
        return BAD_INPUT
    return run_file(options, _Houses())
