"""What the venue shows of its books, and the thread that tells it: a price feed of lines on one socket a venue.

Who connects is told everything first, then every second what changed and that the venue lives. A listener that does
not keep up is cut off; it may come again. The feed knows nothing of who listens or what they keep.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from kernel.clock import utc_now
from refdata.adapters.lines import tick_line, word_line
from refdata.domain.ticks import FeedTick
from venues.simulator.floor import TradingFloor
from venues.simulator.model import Phase
from venues.simulator.side import BookSide
from venues.simulator.units import to_decimal

log = logging.getLogger("venues.simulator")

PUBLISH_EVERY_S = 1.0
SEND_S = 0.5
MOST_LISTENERS = 8


@dataclass(frozen=True, slots=True)
class PriceLine:
    """Prices and sizes of a listing in units of 1e-8; None where nobody quotes. Sizes are those that are shown."""

    venue: str
    symbol: str
    unit: str
    last: int
    bid: int | None
    ask: int | None
    bid_size: int | None
    ask_size: int | None
    phase: Phase


def price_lines(floor: TradingFloor) -> list[PriceLine]:
    """The present prices of a floor's listings."""
    lines = []
    for spec in floor.listings.values():
        book = floor.books[spec.symbol]
        bid, ask = _top(book.bids), _top(book.asks)
        unit = spec.price_unit or spec.currency
        lines.append(PriceLine(floor.code, spec.symbol, unit, book.last, bid[0], ask[0], bid[1], ask[1], book.phase))
    return lines


def _top(side: BookSide) -> tuple[int | None, int | None]:
    for price, level in side.levels():
        return price, sum(order.shown or order.leaves for order in level.values())
    return None, None


class PriceServer:
    """The feeds of the process's venues, at ``unix:PATH`` or ``tcp:HOST:PORT`` by venue code; those not named are mute."""

    def __init__(
        self,
        source: Callable[[], list[PriceLine]],
        addresses: Mapping[str, str],
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._source = source
        self._now = clock
        self._known: dict[str, tuple[PriceLine, datetime]] = {}
        self._doors: dict[str, socket.socket] = {}
        self._listeners: dict[str, list[socket.socket]] = {code: [] for code in addresses}
        self._addresses = dict(addresses)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="prices", daemon=True)

    def start(self) -> None:
        """Listen and begin. Raises OSError when an address is taken."""
        for code, address in self._addresses.items():
            self._doors[code] = _door(address)
        if self._doors:
            self._thread.start()

    def stop(self) -> None:
        """End and wait for the round under way."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        for one in [*self._doors.values(), *(one for many in self._listeners.values() for one in many)]:
            one.close()

    def tell(self) -> None:
        """One round: greet who is new, tell everybody what changed."""
        at = self._now()
        lines = self._source()
        changed = {line.symbol for line in lines if self._known.get(line.symbol, (None,))[0] != line}
        for line in lines:
            if line.symbol in changed:
                self._known[line.symbol] = (line, at)
        for code in self._doors:
            mine = [line for line in lines if line.venue == code]
            beat = word_line("beat", at=at)
            news = [self._text(line, at) for line in mine if line.symbol in changed]
            self._listeners[code] = [one for one in self._listeners[code] if _send(one, [*news, beat])]
            whole = [word_line("hello", at=at), *(self._text(line, at) for line in mine), beat]
            self._listeners[code] += [one for one in self._newcomers(code) if _send(one, whole)]

    def _text(self, line: PriceLine, at: datetime) -> str:
        return tick_line(feed_tick(line, made_at=self._known[line.symbol][1]), at=at)

    def _newcomers(self, code: str) -> list[socket.socket]:
        found: list[socket.socket] = []
        with suppress(BlockingIOError):
            while len(found) + len(self._listeners[code]) < MOST_LISTENERS:
                one, _ = self._doors[code].accept()
                one.settimeout(SEND_S)
                found.append(one)
        return found

    def _run(self) -> None:
        while not self._stop.wait(PUBLISH_EVERY_S):
            try:
                self.tell()
            except Exception:
                log.exception("Prices could not be told")


def feed_tick(line: PriceLine, *, made_at: datetime) -> FeedTick:
    """The line as a tick of the feed, figures as they are: crossed books included."""
    figures = (line.last, line.bid, line.ask, line.bid_size, line.ask_size)
    last, bid, ask, bid_size, ask_size = (None if value is None else to_decimal(value) for value in figures)
    return FeedTick(
        symbol=line.symbol,
        unit=line.unit,
        made_at=made_at,
        last=last,
        bid=bid,
        ask=ask,
        bid_size=bid_size,
        ask_size=ask_size,
        phase=line.phase.value,
    )


def _door(address: str) -> socket.socket:
    kind, _, rest = address.partition(":")
    if kind == "unix":
        with suppress(FileNotFoundError):
            os.unlink(rest)
        door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        door.bind(rest)
    else:
        host, _, port = rest.rpartition(":")
        door = socket.create_server((host, int(port)))
    door.listen(MOST_LISTENERS)
    door.setblocking(False)
    return door


def _send(listener: socket.socket, lines: list[str]) -> bool:
    """Whether the listener took it; one that did not is cut off."""
    try:
        listener.sendall("".join(f"{line}\n" for line in lines).encode())
    except OSError:
        listener.close()
        return False
    return True
