"""The wire between venue and house: numbers what is sent, and loses, delays, doubles and reorders it by stable keys.

Nothing is lost for good: what did not arrive is sent again under its own number (PossDup) after a gap or a new logon,
or, when numbers start again, in order and from the first missing report on under new ones (PossResend).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from venues.simulation.choices import draw, word
from venues.simulation.messages import duplicate, write
from venues.simulation.script import Script
from venues.simulation.venue import Saying

_FATE = word("fate")


@dataclass(slots=True)
class Sent:
    """A message under its number. ``number`` is what it says: a repeat says the same under another number."""

    epoch: int
    seq: int
    number: int
    raw: str
    arrived: bool = False
    flying: bool = False


class Flight(NamedTuple):
    """A copy on its way. Without ``sent`` the venue numbers it anew when it leaves, as PossResend if ``flagged``."""

    due: int
    sent: Sent | None
    number: int
    again: bool
    flagged: bool = True


class Arrival(NamedTuple):
    """What reaches us: the session's epoch, MsgSeqNum and the raw text."""

    epoch: int
    seq: int
    number: int
    raw: str


class Wire:
    """Both directions of one session, and who is at fault for what."""

    def __init__(self, script: Script) -> None:
        self._seed = script.world.seed
        self._adapter = script.world.adapter
        self._faults = script.world.traits.faults
        self._calm = script.calm
        self.connected = True
        self.epoch = 1
        self.misbehaved: list[tuple[int, int]] = []
        self._seq = 0
        self._all: list[Sent] = []
        self._flights: list[Flight] = []
        self._said: list[Saying] = []
        self._outbound: list[str] = []

    # From the venue to us

    def transmit(self, said: list[Saying], tick: int) -> None:
        """Send what the venue has said since the last call."""
        for saying in said[len(self._said) :]:
            self._said.append(saying)
            sent = self._numbered(saying.number, tick)
            if not self.connected:
                continue
            fate = draw(self._seed, _FATE, *saying.key)
            if self._faults == 0 or saying.key in self._calm or fate % 100 >= 14 * self._faults:
                self._fly(tick, sent)
                continue
            self.misbehaved.append(saying.key)
            self._misbehave(sent, tick, fate >> 8)

    def _misbehave(self, sent: Sent, tick: int, fate: int) -> None:
        later = tick + 1 + (fate >> 8) % 6
        match fate % 8:
            case 0 | 1 | 2:
                self._fly(later, sent)
            case 3 | 4:
                self._fly(tick, sent)
                self._flights.append(Flight(later, sent, sent.number, True))
            case 5 if self._said[sent.number].words.kind != "I":
                self._fly(tick, sent)
                self._flights.append(Flight(later, None, sent.number, False, fate >> 16 & 1 == 0))
            case _:
                pass  # lost until a gap is filled

    def arrivals(self, tick: int) -> list[Arrival]:
        """What arrives now, the longest under way first."""
        if not self.connected:
            return []
        due = sorted((flight for flight in self._flights if flight.due <= tick), key=lambda flight: flight.due)
        self._flights = [flight for flight in self._flights if flight.due > tick]
        found = []
        for flight in due:
            if flight.sent is None:
                found.append(self._arrive(self._numbered(flight.number, tick, repeat=flight.flagged)))
            elif flight.again:
                sent = flight.sent
                found.append(Arrival(sent.epoch, sent.seq, sent.number, duplicate(sent.raw)))
            else:
                found.append(self._arrive(flight.sent))
        return found

    def resend(self) -> list[Arrival]:
        """A gap fill: everything of this run of numbers that has not arrived, in order, as PossDup."""
        if not self.connected:
            return []
        self._flights = [flight for flight in self._flights if flight.sent is None or flight.again]
        missing = [sent for sent in self._all if not sent.arrived and sent.epoch == self.epoch]
        return [self._arrive(sent)._replace(raw=duplicate(sent.raw)) for sent in missing]

    def lost(self, arrivals: list[Arrival]) -> None:
        """We died before we stored them: for the session they never arrived."""
        gone = {(one.epoch, one.seq) for one in arrivals}
        for sent in self._all:
            if (sent.epoch, sent.seq) in gone:
                sent.arrived = False

    def cut(self) -> None:
        """The connection ends: what is under way in either direction is lost with it."""
        self.connected = False
        self._flights.clear()
        self._outbound.clear()
        for sent in self._all:
            sent.flying = False

    def join(self) -> None:
        """Connected again; gaps are filled by :meth:`resend`."""
        self.connected = True

    def reset(self, tick: int) -> None:
        """A logon with new numbers. From the first report that is missing on, all are repeated in their order."""
        self.cut()
        self.join()
        first = next((place for place, sent in enumerate(self._all) if not sent.arrived), None)
        numbers = sorted({sent.number for sent in self._all[first:]}) if first is not None else []
        for sent in self._all:
            sent.arrived = True  # under its old number it will never come
        self.epoch += 1
        self._seq = 0
        for number in numbers:
            self._fly(tick, self._numbered(number, tick, repeat=True))

    def calm_down(self) -> None:
        """From now on the wire does what it should."""
        self._faults = 0

    @property
    def idle(self) -> bool:
        """Nothing is under way or missing."""
        return not self._flights and not self._outbound and all(sent.arrived for sent in self._all)

    def _numbered(self, number: int, tick: int, *, repeat: bool = False) -> Sent:
        self._seq += 1
        words = self._said[number].words
        clock = f"202601{4 + words.day:02d}-09:{tick // 60:02d}:{tick % 60:02d}.000"
        raw = write(words, self._adapter, seq=self._seq, clock=clock, repeat=repeat)
        sent = Sent(self.epoch, self._seq, number, raw)
        self._all.append(sent)
        return sent

    def _fly(self, due: int, sent: Sent) -> None:
        sent.flying = True
        self._flights.append(Flight(due, sent, sent.number, False))

    @staticmethod
    def _arrive(sent: Sent) -> Arrival:
        sent.arrived, sent.flying = True, False
        return Arrival(sent.epoch, sent.seq, sent.number, sent.raw)

    # From us to the venue

    def send(self, raws: list[str]) -> None:
        """Given to the engine: kept in order, and lost when the session is down."""
        if self.connected:
            self._outbound.extend(raws)

    def collect(self) -> list[str]:
        """What the venue can read now."""
        raws, self._outbound = self._outbound, []
        return raws
