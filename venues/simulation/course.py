"""One run under way: the house under test, the venue with its truth, the wire between them, and what each has been told."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from venues.simulation.broken import require
from venues.simulation.house import House
from venues.simulation.messages import read
from venues.simulation.script import Script
from venues.simulation.venue import Venue
from venues.simulation.wire import Arrival, Wire

ORDER_MESSAGES = frozenset("DFG")


class Course:
    """Who takes part, and the traffic between them. ``told`` are the sayings of the venue that our books have worked."""

    def __init__(self, script: Script, house: House, say: Callable[[str], None] | None = None) -> None:
        self.script = script
        self.house = house
        self.world = script.world
        self.labels: dict[str, tuple[int, int]] = {}
        self.asked: dict[str, tuple[int, int | None]] = {}
        self.venue = Venue(script.world, self.labels)
        self.wire = Wire(script)
        self.tick = 0
        self.stored: list[int] = []  # what each row of the inbox says, by number of saying
        self.told: set[int] = set()
        self.sent: set[str] = set()
        self.checked: dict[int, object] = {}  # what each order was last checked by; the same need not be checked again
        self._say = say
        self._spoken = 0

    def note(self, sentence: str) -> None:
        """A readable line, when somebody reads."""
        if self._say is not None:
            self._say(f"{self.tick:>4}  {sentence}")

    def join(self) -> None:
        """Logged on again: the gap is filled, and what is unanswered is asked for."""
        if self.wire.connected:
            return
        self.note("the session is logged on again")
        self.wire.join()
        self.store(self.wire.resend())
        self.ask()

    def ask(self) -> None:
        """Silence is not a rejection: unanswered is unknown, and asked for while the session is up."""
        if self.wire.connected:
            self.send(self.house.ask(self.tick))

    def send(self, raws: list[str]) -> None:
        """Give messages to the engine; whoever listens on the wire counts them."""
        for raw in raws:
            self.note(f"we send {readable(raw)}")
            self._require_once(raw)
            self._require_meaning(raw)
        self.wire.send(raws)

    def _require_once(self, raw: str) -> None:
        """No order message leaves twice under one ClOrdID."""
        values = read(raw)
        if values[35] in ORDER_MESSAGES:
            require(values[11] not in self.sent, f"{values[11]} was sent twice")
            self.sent.add(values[11])

    def _require_meaning(self, raw: str) -> None:
        """What leaves asks for what we were asked for: OrderQty is the total, or the leaves where the venue means them."""
        values = read(raw)
        if values[35] not in "DG":
            return
        qty, px = self.asked[values[11]]
        view = self.house.look(self.labels[values[11]][0])
        done = view.cum_qty if view and values[35] == "G" and self.world.adapter == "fix44-leaves" else Decimal(0)
        require(
            Decimal(values[38]) + done == Decimal(qty).scaleb(-2), f"{values[11]} asks for {values[38]}, meant {qty}"
        )
        limit = Decimal(px).scaleb(-8) if px is not None else None
        require(limit is None or Decimal(values[44]) == limit, f"{values[11]} asks at {values.get(44)}, meant {limit}")

    def venue_reads(self) -> None:
        """The venue takes what has arrived there."""
        for raw in self.wire.collect():
            self.venue.receive(raw)

    def deliver(self) -> None:
        """What the venue said goes on the wire, what arrives is stored."""
        for saying in self.venue.said[self._spoken :]:
            self.note(f"the venue says #{saying.number} {saying.words}")
        self._spoken = len(self.venue.said)
        self.wire.transmit(self.venue.said, self.tick)
        self.store(self.wire.arrivals(self.tick))

    def store(self, arrivals: list[Arrival]) -> None:
        """Rows of the inbox."""
        if arrivals:
            for arrival in arrivals:
                self.note(f"stored #{arrival.number} as {arrival.epoch}/{arrival.seq}")
            self.house.store(arrivals, self.venue.day, self.tick)
            self.stored += [arrival.number for arrival in arrivals]

    def learn(self) -> None:
        """Which of the venue's sayings our books have been told of."""
        self.told.update(self.stored[: self.house.worked()])


def readable(raw: str) -> str:
    """A raw message with its fields parted for the eye."""
    return raw.replace("\x01", " ").strip()
