"""What an incident is played with: a dealer and an account, the venue's script, and eyes that wait for what becomes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import orjson
from django.conf import settings
from django.db import close_old_connections

from authorisation.domain.principal import Principal
from authorisation.models import User
from authorisation.selectors import get_principal
from kernel.clock import utc_now
from kernel.errors import Unavailable
from kernel.fix import OrdType, Side, TimeInForce
from kernel.ids import new_id
from oms_project.seed.flow_terms import on_tick, shifted
from operations.models import ExceptionItem
from orders.domain.results import PENDING_AUTHORISATION, CaptureResult
from orders.domain.terms import OrderTerms
from orders.models import Execution, Order
from orders.services.capture_order import capture_order
from refdata.selectors import find_listing_by_symbol
from risk.domain.answers import Acknowledgement, Verdict

ROUTE = "demo_day"
DEALER, ACCOUNT, SYMBOL = "a.khan", "AC4480", "VOD.L"
SCRIPT_READ_S = 1.1  # the venue looks at its script every second
EVERY_S = 0.1
AWAY, ACROSS = -300, 100  # basis points from the last price: rests, trades at once
Seen = TypeVar("Seen")


class Missing(Exception):
    """What the answer key wants did not come in time."""


@dataclass
class Stage:
    """One play. ``patience_s`` is how long it waits for each thing; ``close`` takes the venue's script back."""

    random: Random
    patience_s: float = 30.0
    wrote_script: bool = field(default=False, init=False)

    @property
    def _script(self) -> Path:
        return Path(settings.VAR_DIR) / "simulator" / "script.json"

    def dealer(self) -> Principal:
        """Who enters the orders."""
        return get_principal(User.objects.get(username=DEALER))

    def quantity(self) -> Decimal:
        """One that no other order of the day has, so that the venue's script meets this order alone."""
        return Decimal(self.random.randrange(211, 997, 2))

    def script(self, *, rules: Sequence[dict[str, Any]] = (), deeds: Sequence[dict[str, Any]] = ()) -> None:
        """Have the venue misbehave; returns when it follows. Raises Unavailable when somebody else's script is there."""
        if self._script.exists() and not self.wrote_script:
            raise Unavailable("SCRIPT_IN_USE", "The venue follows a script already; take it away first.")
        named = [{"id": str(new_id()), **one} for one in (*rules, *deeds)]
        plan = {"rules": named[: len(rules)], "deeds": named[len(rules) :]}
        self.wrote_script = True
        written = self._script.with_suffix(".new")
        written.write_bytes(orjson.dumps(plan))
        written.replace(self._script)
        time.sleep(SCRIPT_READ_S)

    def close(self) -> None:
        """Let the venue behave again."""
        if self.wrote_script:
            self._script.unlink(missing_ok=True)

    def buy(self, qty: Decimal, *, away: bool = False) -> CaptureResult:
        """A limit order to buy that trades at once, or rests when ``away``. Raises Unavailable without a price."""
        listing = find_listing_by_symbol(SYMBOL, at=utc_now())
        if listing is None or listing.price is None:
            raise Unavailable("PRICE_MISSING", f"There is no price of {SYMBOL}.")
        terms = OrderTerms(
            account=ACCOUNT,
            symbol=SYMBOL,
            side=Side.BUY,
            ord_type=OrdType.LIMIT,
            order_qty=qty,
            time_in_force=TimeInForce.DAY,
            price=on_tick(
                listing.ticks, shifted(listing.price.last, AWAY if away else ACROSS, towards_buy=True), up=False
            ),
        )
        dealer = self.dealer()
        first = self._capture(dealer, terms, ())
        asked = tuple(
            Acknowledgement(check.code, "demo day") for check in first.checks if check.verdict is Verdict.ACKNOWLEDGE
        )
        captured = self._capture(dealer, terms, asked) if asked else first
        held = [f"{check.code}: {check.sentence}" for check in captured.checks if check.verdict is Verdict.AUTHORISE]
        if captured.outcome == PENDING_AUTHORISATION:
            raise Missing(f"{captured.ref} waits for a second person: {'; '.join(held)}")
        return captured

    def _capture(
        self, dealer: Principal, terms: OrderTerms, acknowledgements: tuple[Acknowledgement, ...]
    ) -> CaptureResult:
        return capture_order(
            actor=dealer,
            at=utc_now(),
            idempotency_key=str(new_id()),
            route=ROUTE,
            terms=terms,
            source=ROUTE,
            acknowledgements=acknowledgements,
        )

    def until(self, what: str, look: Callable[[], Seen | None]) -> Seen:
        """The first thing ``look`` finds; raises Missing with ``what`` when patience ends."""
        deadline = time.monotonic() + self.patience_s
        while True:
            close_old_connections()
            seen = look()
            if seen:
                return seen
            if time.monotonic() >= deadline:
                raise Missing(what)
            time.sleep(EVERY_S)

    def order(self, captured: CaptureResult, what: str, fits: Callable[[Order], bool]) -> Order:
        """The order once it ``fits``."""

        def look() -> Order | None:
            order = Order.objects.get(pk=captured.order_id)
            return order if fits(order) else None

        try:
            return self.until(f"{captured.ref} {what}", look)
        except Missing as missing:
            order = Order.objects.get(pk=captured.order_id)
            state = f"{order.request_state}, status {order.ord_status or 'none'}, {order.cum_qty:f} executed"
            raise Missing(f"{missing}: it is {state}") from missing

    def item(self, kind: str, captured: CaptureResult) -> ExceptionItem:
        """The exception of a kind about an order, open or settled meanwhile."""
        return self.until(
            f"an exception {kind} about {captured.ref}",
            lambda: ExceptionItem.objects.filter(kind=kind, order_id=captured.order_id).first(),
        )

    def executions(self, captured: CaptureResult) -> list[Execution]:
        """The executions of an order that count."""
        return list(Execution.objects.filter(order_id=captured.order_id, effective_qty__gt=0).order_by("id"))
