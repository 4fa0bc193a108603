"""The venue's books reach reference data over a real socket; the feed dies, comes back, is cut off, and is read by one."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from journal.selectors.anomalies import is_raised
from refdata import feeds
from refdata.adapters import FeedLost, open_feed
from refdata.models import PriceSource, PriceTick, ReferencePrice
from tests.factories import make_listing
from venues.simulator import prices
from venues.simulator.model import Phase
from venues.simulator.prices import PriceLine, PriceServer
from venues.simulator.units import to_units

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def line(last: str, bid: str | None = None, ask: str | None = None, phase: Phase = Phase.CONTINUOUS) -> PriceLine:
    """A price of VOD.L in pence."""
    bid_px, ask_px = (None if one is None else to_units(Decimal(one)) for one in (bid, ask))
    size = to_units(Decimal(500))
    return PriceLine("SIM1", "VOD.L", "GBX", to_units(Decimal(last)), bid_px, ask_px, size, None, phase)


@pytest.fixture
def address() -> Iterator[str]:
    """A short place for a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="px", dir="/tmp") as directory:
        yield f"unix:{Path(directory) / 'SIM1'}"


def test_who_connects_is_told_everything_then_what_changed(address: str) -> None:
    lines, now = [line("91", "90.98", "91.02")], [AT]
    server = PriceServer(lambda: lines, {"SIM1": address}, clock=lambda: now[0])
    server._doors["SIM1"] = prices._door(address)
    try:
        feed = open_feed(address)
        assert feed.read(timeout_s=0.01).heard_at is None
        server.tell()
        first = feed.read(timeout_s=1)
        assert (first.snapshot, first.heard_at, len(first.ticks)) == (True, AT, 1)
        told = first.ticks[0]
        assert (told.unit, told.last, told.bid, told.ask, told.bid_size, told.ask_size, told.phase) == (
            *("GBX", Decimal(91), Decimal("90.98"), Decimal("91.02"), Decimal(500), None, "continuous"),
        )
        now[0] = AT.replace(second=1)
        server.tell()
        assert feed.read(timeout_s=1) == type(first)([], now[0], False, [])
        lines[0] = line("91.02")
        server.tell()
        assert [(one.last, one.bid, one.made_at) for one in feed.read(timeout_s=1).ticks] == [
            (Decimal("91.02"), None, now[0])
        ]
        feed.close()
    finally:
        server.stop()


def test_a_listener_that_does_not_keep_up_is_cut_off(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "SEND_S", 0.01)
    lines = [line("91")]
    server = PriceServer(lambda: lines, {"SIM1": address})
    server._doors["SIM1"] = prices._door(address)
    slow = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        slow.connect(address.removeprefix("unix:"))
        server.tell()
        for number in range(4000):
            lines[0] = line(f"{91 + number % 9}")
            server.tell()
            if not server._listeners["SIM1"]:
                break
        assert server._listeners["SIM1"] == []
    finally:
        slow.close()
        server.stop()


@contextmanager
def listening(address: str) -> Iterator[None]:
    """The process that takes prices, in a thread."""
    stop = threading.Event()
    thread = threading.Thread(target=feeds.run, args=(stop,), kwargs={"feeds": {"SIM1": address}})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=10)
        assert not thread.is_alive()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def price() -> ReferencePrice:
    return ReferencePrice.objects.get(listing__symbol="VOD.L")


@pytest.mark.django_db(transaction=True)
def test_books_become_prices_and_a_new_connection_a_new_session(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prices, "PUBLISH_EVERY_S", 0.05)
    monkeypatch.setattr(feeds, "TAKE_EVERY_S", 0.05)
    monkeypatch.setattr(feeds, "AGAIN_S", 0.05)
    make_listing()
    lines = [line("73", "72.9", "73.1")]
    server = PriceServer(lambda: lines, {"SIM1": address})
    with listening(address):
        server.start()
        until(lambda: price().last == Decimal(73))
        held = price()
        assert (held.bid, held.ask, held.bid_size, held.source, held.quality) == (
            *(Decimal("72.9"), Decimal("73.1"), Decimal(500), "SIM1", "good"),
        )
        first = PriceSource.objects.get().session
        assert held.tick is not None
        assert (held.session, PriceTick.objects.filter(id=held.tick).count()) == (first, 1)
        lines[0] = line("150")
        until(lambda: price().quality == "suspect")
        assert is_raised(f"price:{held.listing_id}")
        lines[0] = line("73.1")
        until(lambda: price().quality == "good")
        server.stop()
        server = PriceServer(lambda: lines, {"SIM1": address})
        server.start()
        until(lambda: PriceSource.objects.get().session != first)
        until(lambda: price().session == PriceSource.objects.get().session)
    server.stop()
    with pytest.raises(FeedLost):
        open_feed("unix:/tmp/px-none/SIM1")
