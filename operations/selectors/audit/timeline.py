"""A dossier as one timeline: events of all its streams, raw messages and bookings, by the time they happened.

What came late stands where it belongs and says so. A message that no event names changed nothing: the house knew it already, or
has not read it yet.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from accounts.models import Booking
from authorisation.models import ApiKey, User
from journal.domain.chain import StoredEvent, verify_chain
from journal.domain.records import EventRecord
from journal.selectors.events import placed_events_of
from journal.selectors.searching import Sealed, sealed_so_far
from kernel.numbers import plain
from operations.domain.audit_query import KINDS, AuditFilter
from operations.domain.timeline import Line, describe
from operations.selectors.audit.dossier import Dossier
from venues.selectors import WireRow

LATE = timedelta(seconds=2)
REPORTS = frozenset({"8", "9"})  # messages in which a venue says what became of an order


@dataclass(frozen=True, slots=True)
class Entry:
    """One line. ``source`` is event, message or booking; ``place`` is where it is kept; ``note`` what is odd about it."""

    at: datetime
    recorded_at: datetime
    source: str
    line: Line
    who: str
    place: str
    note: str = ""
    event: EventRecord | None = None
    message: WireRow | None = None

    @property
    def late(self) -> bool:
        return self.recorded_at - self.at > LATE

    @property
    def order_id(self) -> str:
        """Of an event in the life of an order: which one, so that it can be seen as it was then."""
        family, _, rest = self.event.stream.partition(":") if self.event else ("", "", "")
        return rest if family == "order" else ""


@dataclass(frozen=True, slots=True)
class Proof:
    """What recomputing the chains of the streams said, and how many of their events the seals cover."""

    events: int
    intact: int
    sealed: int
    streams: int
    faults: tuple[str, ...]
    house: Sealed

    @property
    def holds(self) -> bool:
        return not self.faults and self.intact == self.events


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that is shown of a dossier."""

    dossier: Dossier
    entries: tuple[Entry, ...]
    people: tuple[str, ...]
    duplicates: int
    proof: Proof

    @property
    def event_count(self) -> int:
        return sum(entry.source == "event" for entry in self.entries)

    @property
    def message_count(self) -> int:
        return sum(entry.source == "message" for entry in self.entries)


def make_timeline(dossier: Dossier, asked: AuditFilter | None = None) -> Timeline:
    """The timeline, narrowed by a time span, a person or a kind where asked; the proof is of everything."""
    names = names_of_actors([*(event.actor for event in dossier.events), *_behind(dossier.events)])
    known = {wire for event in dossier.events for wire in _wires_named(event.payload)}
    entries = [
        *(event_entry(event, names) for event in dossier.events),
        *(_message_entry(message, known) for message in dossier.messages),
        *(_booking_entry(booking) for booking in dossier.bookings),
    ]
    kept = [entry for entry in entries if asked is None or _is_asked_for(entry, asked, names)]
    people = {name for actor, name in names.items() if not actor.startswith("process:")}
    people |= {decision.checker.username for row in dossier.approvals for decision in row.decisions.all()}
    people |= {row.maker.username for row in dossier.approvals}
    return Timeline(
        dossier,
        tuple(sorted(kept, key=_in_order)),
        tuple(sorted(people)),
        sum(_is_known_already(message, known) for message in dossier.messages),
        prove(dossier.streams),
    )


def _in_order(entry: Entry) -> tuple[datetime, datetime, int, str]:
    """By when it happened; what is of one moment as it was written."""
    return entry.at, entry.recorded_at, entry.event.position if entry.event else 0, entry.place


def prove(streams: Collection[str]) -> Proof:
    """Recompute the chains of the streams; one statement for their events, whatever their number."""
    placed = placed_events_of(streams) if streams else []
    house = sealed_so_far()
    by_stream: dict[str, list[StoredEvent]] = defaultdict(list)
    for _, event in placed:
        by_stream[event.draft.stream].append(event)
    faults = [fault for events in by_stream.values() for fault in verify_chain(events)]
    broken = {(fault.stream, fault.seq) for fault in faults}
    sealed = sum(position <= house.to_position for position, _ in placed)
    sentences = tuple(fault.sentence for fault in faults[:20])
    return Proof(len(placed), len(placed) - len(broken), sealed, len(by_stream), sentences, house)


def event_entry(event: EventRecord, names: dict[str, str]) -> Entry:
    """One event as a line."""
    who = names.get(event.actor, event.actor)
    if event.on_behalf_of:
        who = f"{who} for {names.get(event.on_behalf_of, event.on_behalf_of)}"
    line = describe(event.kind, event.payload)
    return Entry(event.event_at, event.recorded_at, "event", line, who, f"{event.stream} #{event.seq}", event=event)


def names_of_actors(actors: Iterable[str]) -> dict[str, str]:
    """User names of ``user:`` and ``key:`` actors; processes are called by what they are."""
    wanted = set(actors) - {""}
    users = {int(actor[5:]) for actor in wanted if actor.startswith("user:") and actor[5:].isdigit()}
    keys = {found for actor in wanted if actor.startswith("key:") and (found := _uuid(actor[4:]))}
    named = {f"user:{pk}": name for pk, name in User.objects.filter(pk__in=users).values_list("pk", "username")}
    by_key = ApiKey.objects.filter(pk__in=keys).values_list("pk", "user__username") if keys else []
    named |= {f"key:{pk}": f"{name} (API key)" for pk, name in by_key}
    return {actor: named.get(actor, actor) for actor in wanted}


def _behind(events: Iterable[EventRecord]) -> list[str]:
    return [event.on_behalf_of for event in events if event.on_behalf_of]


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _wires_named(payload: dict[str, Any]) -> list[int]:
    places = (payload, *(value for value in payload.values() if isinstance(value, dict)))
    return [int(place["wire_message_id"]) for place in places if isinstance(place.get("wire_message_id"), int)]


def _is_known_already(message: WireRow, known: Collection[int]) -> bool:
    return message.direction == "in" and message.msg_type in REPORTS and message.id not in known


def _message_entry(message: WireRow, known: Collection[int]) -> Entry:
    outward = message.direction == "out"
    text = f"{message.name} {'sent to' if outward else 'from'} {message.session}, number {message.msg_seq_num:,}"
    note = "named by no event: a duplicate, or not read yet" if _is_known_already(message, known) else ""
    line = Line("sent" if outward else "neutral", "neutral", "messages", text)
    at = min(message.sent_at or message.recorded_at, message.recorded_at)
    return Entry(
        at, message.recorded_at, "message", line, message.session, f"message {message.id}", note, message=message
    )


def _booking_entry(booking: Booking) -> Entry:
    what = booking.currency or f"units of {booking.instrument_id}"
    charge = f" ({booking.charge})" if booking.charge else ""
    text = f"Booked {booking.kind}{charge}, {booking.layer}: {plain(booking.amount)} {what}, settles {booking.settlement_date}"
    line = Line("done", "done", "money", text)
    at = booking.recorded_at
    return Entry(at, at, "booking", line, f"event {booking.event_id}", f"booking {booking.pk}")


def _is_asked_for(entry: Entry, asked: AuditFilter, names: dict[str, str]) -> bool:
    if (asked.since and entry.recorded_at < asked.since) or (asked.until and entry.recorded_at >= asked.until):
        return False
    if asked.actor and (entry.event is None or asked.actor not in (names.get(entry.event.actor), entry.event.actor)):
        return False
    if not asked.kind:
        return True
    return entry.event is not None and entry.event.stream.partition(":")[0] in KINDS[asked.kind].families
