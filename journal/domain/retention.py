"""How long each class of record is kept, and what a legal hold covers. Pure.

Evidence (events, raw messages, bookings, decisions, seals) is never removed by the house: it is archived, which is a
proven copy. What may be removed has a default and a least age that no rule may go below. A hold keeps every removable
record of its time, narrowed to its instruments where a record has one.

Invariant: a hold says less and less only when it is released, and that takes a second person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from journal.domain.idempotency import KEPT_DAYS
from kernel.errors import Invalid

YEARS_OF_EVIDENCE = 7
MOST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class RecordClass:
    """``least_days`` and ``default_days`` are None for what is never removed."""

    name: str
    title: str
    least_days: int | None
    default_days: int | None


CLASSES: dict[str, RecordClass] = {
    one.name: one
    for one in (
        RecordClass("evidence", "Events, messages, bookings, decisions, seals", None, None),
        RecordClass("price_ticks", "Stored price ticks", 7, 14),
        RecordClass("idempotency_keys", "Answers kept for repeated requests", KEPT_DAYS, KEPT_DAYS),
    )
}


def class_of(name: str) -> RecordClass:
    """Raises Invalid RETENTION_UNKNOWN for a class the house does not know."""
    found = CLASSES.get(name)
    if found is None:
        raise Invalid("RETENTION_UNKNOWN", f"There is no class of records called {name!r}.")
    return found


def require_days(name: str, days: int) -> None:
    """Raises Invalid RETENTION_INVALID when records of the class cannot be kept that long, or are never removed at all."""
    one = class_of(name)
    if one.least_days is None:
        raise Invalid("RETENTION_INVALID", f"{one.title} are never removed, so there is nothing to set.")
    if not one.least_days <= days <= MOST_DAYS:
        sentence = f"{one.title} are kept at least {one.least_days} and at most {MOST_DAYS:,} days."
        raise Invalid("RETENTION_INVALID", sentence, {"days": [sentence]})


@dataclass(frozen=True, slots=True)
class HoldTerms:
    """What a hold covers: records of ``from_at`` (inclusive) to ``to_at`` (exclusive, None: for ever), of the symbols, or of
    everything when there are none."""

    from_at: datetime
    to_at: datetime | None
    symbols: tuple[str, ...] = ()

    def covers(self, at: datetime, symbol: str = "") -> bool:
        """Whether a record of that time (and instrument, where it has one) is held."""
        if at < self.from_at or (self.to_at is not None and at >= self.to_at):
            return False
        return not self.symbols or not symbol or symbol in self.symbols


def is_held(holds: Iterable[HoldTerms], at: datetime, symbol: str = "") -> bool:
    """Whether any of the holds covers the record; the database's ``journal_is_held`` says the same."""
    return any(hold.covers(at, symbol) for hold in holds)
