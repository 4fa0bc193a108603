"""The venue as a process: two markets on two FIX sessions, one matching thread that does everything in one order.

The engine's thread only queues; the matching thread reads, matches, writes the truth, sends, walks the clock and
trades for the house. Helpers sync the truth and publish prices. Killed at any moment it comes back with the same
books: orders and counters from the truth, sequence numbers and undelivered reports from the engine's store.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from kernel.clock import utc_now
from venues.simulator.acceptor import Acceptor, Heard, VenueSession, is_weekly_break, store_prefix
from venues.simulator.back_office import BackOffice
from venues.simulator.day import DayWatch
from venues.simulator.delivery import Delivery
from venues.simulator.exchange import Exchange
from venues.simulator.floor import Options
from venues.simulator.liquidity import Liquidity
from venues.simulator.listing import ListingSpec, MarketSpec
from venues.simulator.misbehaviour import Script
from venues.simulator.prices import PriceLine, price_lines
from venues.simulator.reports import Entry
from venues.simulator.truth import TruthFile
from venues.simulator.unsent import unsent_reports
from venues.simulator.wire import NOT_AVAILABLE, read_command, read_fields, unusable

log = logging.getLogger("venues.simulator")

BATCH = 64
WAIT_S = 0.05
HOUSE_EVERY_S = 0.1
CLOCK_EVERY_S = 0.5
SYNC_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class VenueSetup:
    """One venue: its session and what is traded on it."""

    code: str
    session: VenueSession
    listings: tuple[ListingSpec, ...]
    markets: tuple[MarketSpec, ...]
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, slots=True)
class Setup:
    """Everything the process needs. ``house`` lets the house trade; ``script`` names the misbehaviour file."""

    venues: tuple[VenueSetup, ...]
    directory: Path
    host: str = "127.0.0.1"
    off_loopback: bool = False
    house: bool = True
    seed: int = 1
    script: Path | None = None


class Venue:
    """One venue at work: exchange, truth, house and what is sent. Used by the matching thread only."""

    def __init__(self, setup: VenueSetup, *, parent: Setup, acceptor: Acceptor, script: Script, at: datetime) -> None:
        self.setup = setup
        directory = parent.directory / setup.code
        directory.mkdir(parents=True, exist_ok=True)
        always = frozenset(one.mic for one in setup.markets if one.always_open)
        options = Options(setup.options.pending, setup.options.done_for_day, setup.options.parks_at_open | always)
        self.exchange = Exchange(code=setup.code, listings=setup.listings, options=options)
        self.truth = TruthFile(directory)
        self.days = DayWatch(floor=self.exchange, markets=setup.markets, script=script)
        self.days.begin(self.truth.found, at=at)
        self.exchange.restore(self.truth.found)
        one = setup.session
        self.unsent = unsent_reports(
            self.truth.found,
            session=one.name,
            store=parent.directory / "fix",
            prefix=store_prefix(one),
            began=acceptor.store_began[one.name],
        )
        self.truth.found.clear()
        self.back_office = BackOffice(
            self.exchange, directory=directory, line=acceptor, script=script, begin_string=one.begin_string
        )
        self.delivery = Delivery(
            floor=self.exchange,
            truth=self.truth,
            line=acceptor,
            script=script,
            amended=self.back_office.amended,  # not of this object: a circle would keep the engine's sessions after the end
        )
        self.house = Liquidity(self.exchange, seed=parent.seed) if parent.house else None

    def resume(self, *, clock: float, at: datetime, line: Acceptor) -> None:
        """Say what was not said before the end, then catch up with the clock."""
        for report in self.unsent:
            line.send(self.setup.session.name, report)
        self.unsent = []
        self.walk_clock(clock=clock, at=at)
        self.delivery.publish(self.exchange.settle(at=at), clock=clock, at=at)

    def hear(self, heard: Sequence[Heard], *, clock: float, at: datetime) -> None:
        """Carry out requests and publish what follows, all with one write of the truth."""
        entries: list[Entry] = []
        for one in heard:
            if self.back_office.takes(one.raw):
                wrong = self.back_office.hear(one.session, one.raw, clock=clock, at=at)
                entries.extend(self.exchange.handle(wrong, at=at) if wrong is not None else ())
                continue
            entries.extend(self.exchange.handle(read_command(one.session, one.raw), at=at))
        self.delivery.publish(entries, clock=clock, at=at)

    def walk_clock(self, *, clock: float, at: datetime) -> None:
        """Phases, days and expiries."""
        entries = self.days.walk(at=at)
        entries.extend(self.exchange.expire_due(at=at))
        self.delivery.publish(entries, clock=clock, at=at)
        for mic, trade_date in self.days.take_new_dates():
            self.truth.note_day(mic, trade_date.isoformat(), counter=self.exchange.counter, at=at)
        if self.truth.is_long():
            orders, counter = self.exchange.orders.values(), self.exchange.counter
            self.truth.roll(orders, self.days.dates, counter=counter, at=at)

    def trade_for_the_house(self, *, clock: float, at: datetime, out: Sequence[str]) -> None:
        """Let the house do what is due."""
        if self.house is not None:
            self.delivery.publish(self.house.step(clock, at=at, held=out), clock=clock, at=at)


class Simulator:
    """The process's venues behind one acceptor. ``start``, then ``serve`` in the matching thread, then ``close``."""

    def __init__(self, setup: Setup, *, clock: Callable[[], datetime] = utc_now) -> None:
        setup.directory.mkdir(parents=True, exist_ok=True)
        self._setup = setup
        self._now = clock
        self._script = Script(setup.script)
        self._script.reload()
        self._acceptor = Acceptor(
            [one.session for one in setup.venues],
            store=setup.directory / "fix",
            host=setup.host,
            off_loopback=setup.off_loopback,
        )
        at = clock()
        self._venues = [
            Venue(one, parent=setup, acceptor=self._acceptor, script=self._script, at=at) for one in setup.venues
        ]
        self._by_session = {one.setup.session.name: one for one in self._venues}
        self._prices: list[PriceLine] = []
        self._note_prices()
        self._began = time.monotonic()
        self._next_house = self._next_clock = 0.0
        self._paused = False
        self._stop_helpers = threading.Event()
        self._syncer = threading.Thread(target=self._sync_truth, name="truth-sync", daemon=True)

    @property
    def ports(self) -> dict[str, int]:
        """The port each session listens on."""
        return dict(self._acceptor.ports)

    @property
    def logged_on(self) -> frozenset[str]:
        """Sessions whose member is there."""
        return self._acceptor.logged_on

    def prices(self) -> list[PriceLine]:
        """Last, best bid and ask, and phase of every listing, as they were at most half a second ago."""
        return self._prices

    def start(self) -> None:
        """Rebuild is done; say what is owed and listen. Raises OSError when a port is taken."""
        at = self._now()
        for venue in self._venues:
            venue.resume(clock=self._clock(), at=at, line=self._acceptor)
        self._acceptor.start()
        self._syncer.start()

    def serve(self, stop: threading.Event) -> None:
        """Match until told to stop."""
        while not stop.is_set():
            heard = self._wait()
            clock, at = self._clock(), self._now()
            for name, venue in self._by_session.items():
                mine = [one for one in heard if one.session == name]
                if mine:
                    venue.hear(mine, clock=clock, at=at)
            self._refuse_overflow(clock, at)
            self._tick(clock, at)

    def close(self) -> None:
        """Stop listening and make the truth durable; safe after a failed start."""
        self._acceptor.stop()
        self._stop_helpers.set()
        at = self._now()
        for venue in self._venues:
            venue.delivery.flush(clock=self._clock(), at=at)
        if self._syncer.is_alive():
            self._syncer.join(timeout=5)
        for venue in self._venues:
            venue.truth.close()
            venue.back_office.close()

    def _wait(self) -> list[Heard]:
        inbox = self._acceptor.inbox
        try:
            heard = [inbox.get(timeout=WAIT_S)]
        except queue.Empty:
            return []
        while len(heard) < BATCH:
            try:
                heard.append(inbox.get_nowait())
            except queue.Empty:
                break
        return heard

    def _tick(self, clock: float, at: datetime) -> None:
        for venue in self._venues:
            venue.delivery.run_due(clock=clock, at=at)
            venue.back_office.run_due(clock=clock, at=at)
        if clock >= self._next_house:
            self._next_house = clock + HOUSE_EVERY_S
            for venue in self._venues:
                venue.trade_for_the_house(clock=clock, at=at, out=self._script.plan.house_out)
        if clock >= self._next_clock:
            self._next_clock = clock + CLOCK_EVERY_S
            self._mind_the_week(at)
            self._follow_script(clock, at)
            for venue in self._venues:
                venue.walk_clock(clock=clock, at=at)
            self._note_prices()

    def _mind_the_week(self, at: datetime) -> None:
        """Keep the engine down while its week turns, so that it does not forget its numbers."""
        if is_weekly_break(at):
            if not self._paused:
                self._paused = True
                self._acceptor.pause()
        elif self._paused:
            self._acceptor.renew()
            self._paused = False

    def _note_prices(self) -> None:
        self._prices = [line for venue in self._venues for line in price_lines(venue.exchange)]

    def _follow_script(self, clock: float, at: datetime) -> None:
        if not self._script.reload():
            return
        for venue in self._venues:
            for symbol in self._script.plan.house_out:
                if venue.house is not None:
                    venue.house.withdraw(symbol)
        for deed in self._script.due_deeds():
            if not any(venue.delivery.do(deed, clock=clock, at=at) for venue in self._venues):
                log.error("The script's deed %s names no order a venue knows", deed.id)
        for rule in self._script.post_trade.due_clients():
            if not any(venue.back_office.follow_clients(rule, clock=clock, at=at) for venue in self._venues):
                log.error("The script's client %s names no order a venue knows", rule.id)

    def _refuse_overflow(self, clock: float, at: datetime) -> None:
        overflow = self._acceptor.overflow
        while overflow:
            heard = overflow.popleft()
            command = unusable(heard.session, read_fields(heard.raw), NOT_AVAILABLE, "The venue is overloaded")
            venue = self._by_session[heard.session]
            venue.delivery.publish(venue.exchange.handle(command, at=at), clock=clock, at=at)

    def _sync_truth(self) -> None:
        while not self._stop_helpers.wait(SYNC_EVERY_S):
            for venue in self._venues:
                try:
                    venue.truth.sync()
                except OSError:
                    log.exception("The truth of %s could not be synced", venue.setup.code)

    def _clock(self) -> float:
        return time.monotonic() - self._began
