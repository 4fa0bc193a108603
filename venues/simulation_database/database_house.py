"""The house of the database run: dealer's doors, routing, hand-over, wire messages, inbox and tables, no engine.

See :class:`venues.simulation.house.House`. A crash is raised where the real process would be killed: inside the
transaction before its commit, or right behind it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from unittest.mock import patch
from uuid import UUID

from accounts.models import Booking, CashBalance, Holding, Reservation, TradingAccount
from journal.bulk import raw_cursor
from journal.domain.records import ANOMALY_RAISED, EventRecord
from journal.services.run_listener import run_listener
from kernel.errors import Conflict, Invalid, Refused
from kernel.fix import OrdType, Side, TimeInForce
from kernel.ids import new_id
from kernel.numbers import ZERO
from orders.domain.results import RELEASED
from orders.domain.terms import OrderTerms, ReplaceTerms
from orders.models import Execution, Order, OrderRequest
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from orders.services.mark_unknown import mark_unknown
from orders.services.replace_order import replace_order
from refdata.models import ReferencePrice
from venues.adapters.base import Adapter
from venues.adapters.registry import adapter_named
from venues.domain.fix_codec import Fields, first_values, format_message, parse
from venues.domain.inbox import UNWORKED
from venues.domain.messages import IntentKind, OutboundIntent, terms_from_message
from venues.models import FixSession, WireIntent, WireMessage
from venues.services import consume_inbox as consuming
from venues.services import mark_handed_over as handing
from venues.services import on_order_released
from venues.services.refuse_intent import refuse_intent
from venues.simulation.books import decimal, moment
from venues.simulation.house import Crash, MoneyView, OrderView, RequestView
from venues.simulation.inbox import epoch_name
from venues.simulation.script import World
from venues.simulation.wire import Arrival
from venues.simulation_database.desk import NAME, OPENING_CASH, OPENING_STOCK, SimulatedDesk

RELEASED_KINDS = ("OrderReleased", "ReplaceReleased", "CancelReleased")
LIMIT = 500
PATIENCE_S = 15
EPSILON = timedelta(microseconds=1)


class DatabaseHouse:
    """One seed. Accounts and numbers are its own, desk and session are shared with the seeds before it."""

    def __init__(self, desk: SimulatedDesk, world: World) -> None:
        self._desk = desk
        self._world = world
        self._session: FixSession = desk.choose(world.adapter)
        self._adapter: Adapter = adapter_named(world.adapter)
        self._orders: dict[int, UUID] = {}
        self._accounts: dict[int, TradingAccount] = {}
        self._epoch, self._next_out = 1, 1
        self._rows: list[int] = []
        self._released = self._routed = 0
        FixSession.objects.filter(pk=self._session.pk).update(enabled=True)

    # Doors

    def capture(self, index: int, tick: int) -> str | None:
        if index in self._orders:
            return None
        terms, at = self._world.terms[index], moment(tick)
        account = self._accounts[index] = self._desk.open(f"SIM-{self._world.seed}-{index}")
        listing = self._desk.listings[terms.divisor]
        ReferencePrice.objects.filter(listing=listing).update(priced_at=at)
        side = Side(terms.side)
        result = capture_order(
            actor=self._desk.dealer,
            at=at,
            idempotency_key=self._key(tick),
            route=NAME,
            source=NAME,
            terms=OrderTerms(
                account=account.code,
                symbol=listing.symbol,
                side=side,
                ord_type=OrdType.MARKET if terms.px is None else OrdType.LIMIT,
                order_qty=decimal(terms.qty, 2),
                price=decimal(terms.px, 8) if terms.px is not None else None,
                time_in_force=TimeInForce(terms.tif),
                locate_ref=self._desk.locate_of(listing) if side.is_short else "",
            ),
        )
        self._orders[index] = result.order_id
        if result.outcome != RELEASED:
            raise ValueError(f"the checks answered {result.outcome}: {[c for c in result.checks if c.verdict]}")
        self._released += 1
        return result.cl_ord_id

    def replace(self, index: int, qty: int, px: int | None, tick: int) -> str | None:
        if index not in self._orders:
            return None
        ReferencePrice.objects.filter(listing__in=self._desk.listings.values()).update(priced_at=moment(tick))
        try:
            result = replace_order(
                actor=self._desk.dealer,
                at=moment(tick),
                idempotency_key=self._key(tick),
                route=NAME,
                order_id=self._orders[index],
                terms=ReplaceTerms(order_qty=decimal(qty, 2), price=decimal(px, 8) if px is not None else None),
            )
        except (Conflict, Invalid, Refused):
            return None
        if result.outcome != RELEASED:
            return None
        self._released += 1
        return result.cl_ord_id

    def cancel(self, index: int, tick: int) -> str | None:
        if index not in self._orders:
            return None
        try:
            result = cancel_order(
                actor=self._desk.dealer,
                at=moment(tick),
                idempotency_key=self._key(tick),
                route=NAME,
                order_id=self._orders[index],
                reason=NAME,
            )
        except (Conflict, Invalid, Refused):
            return None
        if result.outcome != RELEASED:
            return ""
        self._released += 1
        return result.cl_ord_id

    def _key(self, tick: int) -> str:
        return f"{self._world.seed}-{tick}-{new_id()}"

    # The way out

    def hand_over(self, tick: int, crash: str) -> list[str]:
        self._route(tick)
        with _killed_at(handing, "before_hand_over" if crash == "before_commit" else ""):
            handed = handing.mark_handed_over(
                group=self._session.group,
                session=self._session.name,
                epoch=epoch_name(self._world.seed, self._epoch),
                fence=self._session.fence,
                adapter=self._adapter,
                limit=LIMIT,
                only_safe=False,
                at=moment(tick) + EPSILON,
            )
        if crash == "after_commit" and handed.outgoing:
            raise Crash
        raws = [self._sent(outgoing.fields, tick) for outgoing in handed.outgoing]
        if not crash:
            for refusal in handed.not_sent:
                refuse_intent(
                    intent_id=refusal.intent_id,
                    code=refusal.code,
                    sentence=refusal.sentence,
                    at=moment(tick),
                    completes_locally=refusal.completes_locally,
                )
        return raws

    def _route(self, tick: int) -> None:
        """Until every released request has its intent: events are read once nothing older can commit any more."""

        def handle(events: Sequence[EventRecord]) -> None:
            on_order_released.handle(events)
            self._routed += len(events)

        deadline = time.monotonic() + PATIENCE_S
        while self._routed < self._released:
            run_listener(name=NAME, kinds=RELEASED_KINDS, handle=handle, at=moment(tick))
            if time.monotonic() > deadline:
                raise TimeoutError("a released request was not routed")

    def ask(self, tick: int) -> list[str]:
        asked = OrderRequest.objects.filter(order_id__in=self._orders.values(), state__in=("handed_over", "unknown"))
        requests = list(asked.select_related("order").order_by("order__entered_at", "order_id", "seq"))
        mark_unknown(
            request_ids=[r.id for r in requests if r.state == "handed_over"], at=moment(tick), sentence="No answer."
        )
        return [self._sent(self._question(request, tick), tick) for request in requests]

    def _question(self, request: OrderRequest, tick: int) -> Fields:
        message = WireIntent.objects.values_list("payload", flat=True).get(order_id=request.order_id, kind="new")
        return self._adapter.map_outbound(
            OutboundIntent(
                kind=IntentKind.STATUS,
                cl_ord_id=request.cl_ord_id,
                orig_cl_ord_id="",
                venue_order_id=request.order.venue_order_id or "",
                terms=terms_from_message(message["message"]),
                transact_time=moment(tick),
            )
        )

    def _sent(self, fields: Fields, tick: int) -> str:
        """The message as an engine makes it, kept as the recorder keeps it."""
        number, self._next_out = self._next_out, self._next_out + 1
        header = ((34, str(number)), (49, "OMS"), (56, "VENUE"))
        raw = format_message(self._adapter.capabilities.begin_string, (fields[0], *header, *fields[1:]))
        self._keep(WireMessage.Direction.OUT, self._epoch, number, raw, tick)
        return raw

    def _keep(self, direction: str, epoch: int, number: int, raw: str, tick: int) -> int:
        values = first_values(parse(raw))
        order_id = values.get(37, "")
        row = WireMessage.objects.create(
            direction=direction,
            session=self._session.name,
            epoch=epoch_name(self._world.seed, epoch),
            msg_seq_num=number,
            msg_type=values[35],
            poss_dup=values.get(43) == "Y",
            cl_ord_id=values.get(11, ""),
            venue_order_id="" if order_id == "NONE" else order_id,
            raw=raw,
            sent_at=moment(tick),
            recorded_at=moment(tick),
        )
        return int(row.pk)

    # The way in

    def begin_epoch(self, epoch: int) -> None:
        self._epoch, self._next_out = epoch, 1

    def store(self, arrivals: Sequence[Arrival], day: int, tick: int) -> None:
        for arrival in arrivals:
            self._rows.append(self._keep(WireMessage.Direction.IN, arrival.epoch, arrival.seq, arrival.raw, tick))

    def consume(self, limit: int, tick: int, crash: str) -> None:
        if self.worked() == len(self._rows):
            return
        wanted = {"before_commit": "inbox_before_commit", "after_commit": "inbox_after_commit"}.get(crash, "")
        with _killed_at(consuming, wanted):
            done = consuming.consume_inbox(
                session=self._session.name, adapter_name=self._world.adapter, shards=None, limit=limit, at=moment(tick)
            )
        if done.set_aside or not done.handled:
            raise ValueError(f"the inbox did not work its messages: {done}")

    def worked(self) -> int:
        with raw_cursor() as cursor:
            cursor.execute(f"SELECT count(*) FROM {UNWORKED} WHERE s.name = %s", [self._session.name])  # noqa: S608
            row = cursor.fetchone()
        return len(self._rows) - int(row[0]) if row else 0

    def restart(self, tick: int) -> None:
        """Nothing is kept in memory that is not in the tables."""

    # Looking

    def look(self, index: int) -> OrderView | None:
        if index not in self._orders:
            return None
        row = Order.objects.get(id=self._orders[index])
        hold = Reservation.objects.filter(order_id=row.id).first()
        moved = Booking.objects.filter(order_id=row.id, charge="").values_list("instrument_id", "layer", "amount")
        requests = OrderRequest.objects.filter(order=row).order_by("seq").values_list("kind", "state", "cl_ord_id")
        executions = list(Execution.objects.filter(order=row))
        charges = Booking.objects.filter(order_id=row.id).exclude(charge="").values_list("amount", flat=True)
        return OrderView(
            ord_status=row.ord_status,
            order_qty=row.order_qty,
            cum_qty=row.cum_qty,
            leaves_qty=row.leaves_qty,
            avg_px=row.avg_px,
            price=row.price,
            cl_ord_id=row.cl_ord_id or "",
            is_open=row.is_open,
            overfilled=row.overfilled,
            requests=tuple(RequestView(place, *one) for place, one in enumerate(requests, start=1)),
            executions=tuple((qty, px if qty else ZERO) for qty, px in (one.as_venue_says for one in executions)),
            booked=tuple((one.effective_qty, one.effective_px if one.effective_qty else ZERO) for one in executions),
            hold_cash=hold.cash if hold else ZERO,
            hold_stock=hold.stock if hold else ZERO,
            cash=sum((amount for stock, _, amount in moved if stock is None), ZERO),
            stock=sum((-amount if layer == "short" else amount for stock, layer, amount in moved if stock), ZERO),
            days=tuple(one.trade_date for one in executions),
            fees=-sum(charges, ZERO),
            anomalies=_open_anomalies(row.id),
        )

    def money(self) -> MoneyView:
        """Balances of the accounts as they are, and what of their orders lies in suspense."""
        ids = [account.id for account in self._accounts.values()]
        cash = list(CashBalance.objects.filter(account_id__in=ids))
        holdings = list(Holding.objects.filter(account_id__in=ids))
        aside = Booking.objects.filter(account_id=self._desk.suspense.id, order_id__in=self._orders.values())
        moved = list(aside.values_list("instrument_id", "layer", "amount"))
        stock_aside = sum((-a if layer == "short" else a for stock, layer, a in moved if stock), ZERO)
        stock = sum((row.settled + row.pending - row.short for row in holdings), ZERO)
        return MoneyView(
            cash=sum((row.settled + row.pending for row in cash), ZERO)
            - OPENING_CASH * len(ids)
            + sum((amount for stock, _, amount in moved if stock is None), ZERO),
            cash_reserved=sum((row.reserved for row in cash), ZERO),
            stock=stock - OPENING_STOCK * len(holdings) + stock_aside,
            stock_reserved=sum((row.reserved for row in holdings), ZERO),
        )

    def open_matters(self) -> frozenset[str]:
        """Unknown orders of this seed, by the OrderIDs its venue makes up for them."""
        with raw_cursor() as cursor:
            cursor.execute(_OPEN, [f"anomaly:%Z{self._world.seed}%"])
            return frozenset(kind for kind, raised in cursor.fetchall() if raised == ANOMALY_RAISED)


_OPEN = """
SELECT DISTINCT ON (stream) payload ->> 'kind', kind FROM journal_event
 WHERE stream LIKE %s ORDER BY stream, seq DESC
"""


def _open_anomalies(order_id: UUID) -> frozenset[str]:
    with raw_cursor() as cursor:
        cursor.execute(_OPEN, [f"anomaly:order:{order_id}:%"])
        return frozenset(kind for kind, raised in cursor.fetchall() if raised == ANOMALY_RAISED)


@contextmanager
def _killed_at(module: object, point: str) -> Iterator[None]:
    """The process dies at this crash point of the module; at none when it is empty."""

    def crash_point(name: str) -> None:
        if name == point:
            raise Crash

    if not point:
        yield
        return
    crash: Callable[[str], None] = crash_point
    with patch.object(module, "crash_point", crash):
        yield
