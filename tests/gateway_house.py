"""The way of an order to a scripted venue and back, for tests: capture, route, gateway in a thread, inbox by hand."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from django.db import connection

from journal.services.run_listener import run_listener
from kernel.clock import utc_now
from kernel.ids import new_id
from orders.models import Order, OrderRequest
from orders.services.cancel_order import cancel_order
from orders.services.capture_order import capture_order
from refdata.models import ReferencePrice
from tests.factories import DeskWorld, make_desk, terms
from tests.factories.venues import make_session
from tests.fix_venue import free_port, wait_until
from venues.gateway import run
from venues.inbox import consume_all
from venues.selectors.inbox import list_inbox_sessions
from venues.services import on_order_released

GROUP = "T1"
SESSION = "T1-A"


class House:
    """One desk, one session group; ``pump`` does what relay and inbox would do."""

    def __init__(self, store: Path, *, wait_s: int = 2, adapter: str = "fix44", begin_string: str = "FIX.4.4") -> None:
        self.store = store
        self.port = free_port()
        self.world: DeskWorld = make_desk()
        self.session = make_session(
            name=SESSION, group=GROUP, port=self.port, mics=("XLON",), wait_s=wait_s, adapter=adapter,
            begin_string=begin_string,
        )  # fmt: skip
        self._stops: list[tuple[threading.Event, threading.Thread]] = []

    def start_gateway(self) -> None:
        """In a thread of this process."""
        stop = threading.Event()
        thread = threading.Thread(target=self._serve, args=(stop,), daemon=True)
        thread.start()
        self._stops.append((stop, thread))

    def _serve(self, stop: threading.Event) -> None:
        try:
            run(stop, group=GROUP, store=self.store)
        finally:
            connection.close()  # the thread's own: left open it would hold the test database

    def stop_gateway(self) -> None:
        """Stop what was started; harmless when nothing was."""
        while self._stops:
            stop, thread = self._stops.pop()
            stop.set()
            thread.join(timeout=20)
            assert not thread.is_alive(), "the gateway did not stop"

    def capture(self, **changes: Any) -> Order:
        """A released order of the desk."""
        at = utc_now()
        ReferencePrice.objects.update(priced_at=at)
        result = capture_order(
            actor=self.world.dealer,
            at=at,
            idempotency_key=str(new_id()),
            route="test",
            terms=terms(self.world, **changes),
            source="ticket",
        )
        assert result.outcome == "released", result.checks
        return Order.objects.get(id=result.order_id)

    def cancel(self, order: Order) -> UUID:
        """The id of the cancel request."""
        result = cancel_order(
            actor=self.world.dealer,
            at=utc_now(),
            idempotency_key=str(new_id()),
            route="test",
            order_id=order.id,
            reason="test",
        )
        return result.request_id

    def pump(self) -> None:
        """Route what was released and work what was received."""
        self.route()
        while consume_all(list_inbox_sessions()):
            pass

    def route(self) -> None:
        """Only what relay does."""
        at = utc_now()
        kinds = ("OrderReleased", "ReplaceReleased", "CancelReleased")
        while run_listener(name="venues.route", kinds=kinds, handle=on_order_released.handle, at=at).handled:
            pass

    def until(self, condition: Callable[[], bool], *, seconds: float = 30, what: str = "the condition") -> None:
        """Pump until it holds."""

        def pumped() -> bool:
            self.pump()
            return condition()

        wait_until(pumped, seconds=seconds, what=what)


def states(order: Order) -> list[str]:
    """The states of the order's requests, in order of entry."""
    return list(OrderRequest.objects.filter(order=order).order_by("seq").values_list("state", flat=True))
