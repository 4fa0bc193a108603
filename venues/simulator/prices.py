"""What the venue shows of its books, and the thread that writes it to reference data.

Prices that changed are written once a second in one statement. One that did not change is written again every few
seconds, so that a price's age tells whether the venue lives, not whether the instrument traded.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import close_old_connections, connection
from django.db.utils import Error

from authorisation.domain.principal import process_principal
from kernel.clock import utc_now
from refdata.services.set_reference_prices import PriceUpdate, set_reference_prices
from venues.simulator.floor import TradingFloor
from venues.simulator.model import Phase
from venues.simulator.units import to_decimal

log = logging.getLogger("venues.simulator")

PUBLISH_EVERY_S = 1.0
REPEAT_EVERY = 4  # an unchanged price is written every so many rounds
SOURCE = "simulator"


@dataclass(frozen=True, slots=True)
class PriceLine:
    """Prices of a listing in units of 1e-8; None where nobody quotes."""

    listing_id: str
    symbol: str
    last: int
    bid: int | None
    ask: int | None
    phase: Phase


def price_lines(floor: TradingFloor) -> list[PriceLine]:
    """The present prices of a floor's listings."""
    lines = []
    for spec in floor.listings.values():
        book = floor.books[spec.symbol]
        lines.append(PriceLine(spec.listing_id, spec.symbol, book.last, book.bids.best, book.asks.best, book.phase))
    return lines


class PricePublisher:
    """Writes prices to reference data until stopped. A database that is away is tried again each second."""

    def __init__(self, source: Callable[[], list[PriceLine]], *, clock: Callable[[], datetime] = utc_now) -> None:
        self._source = source
        self._now = clock
        self._known: dict[str, PriceLine] = {}
        self._round = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prices", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End and wait for the round under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def publish(self) -> int:
        """Write one round; how many prices were written. Raises the database's errors."""
        self._round += 1
        due = []
        for number, line in enumerate(self._source()):
            again = (number + self._round) % REPEAT_EVERY == 0
            if again or self._known.get(line.symbol) != line:
                due.append(line)
        if not due:
            return 0
        at = self._now()
        updates = [_update(line, at) for line in due]
        done = set_reference_prices(actor=process_principal("simulator"), at=at, source=SOURCE, prices=updates)
        self._known.update((line.symbol, line) for line in due)
        return done.written

    def _run(self) -> None:
        failing = False
        while not self._stop.wait(PUBLISH_EVERY_S):
            try:
                self.publish()
                failing = False
            except Error as error:
                if not failing:
                    log.warning("Prices cannot be written, trying again each second: %s", error)
                failing = True
                connection.close()
            except Exception:
                log.exception("Prices could not be published")
        close_old_connections()
        connection.close()


def _update(line: PriceLine, at: datetime) -> PriceUpdate:
    crossed = line.bid is not None and line.ask is not None and line.bid > line.ask
    return PriceUpdate(
        listing_id=UUID(line.listing_id),
        last=to_decimal(line.last),
        priced_at=at,
        bid=None if line.bid is None or crossed else to_decimal(line.bid),
        ask=None if line.ask is None or crossed else to_decimal(line.ask),
    )
