"""What a counterparty would say about a day, record by record, before anything is planted. Pure.

A ``Record`` has the columns of its kind as text, and beside them what only we know (``about``): which matter of ours it is,
so that a plant can name what must be found. A ``Book`` is what goes into one file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal

from kernel.numbers import plain
from reconciliation.domain.records import Kind


@dataclass(frozen=True, slots=True)
class Record:
    """``key`` is ours and never written; ``values`` go to the file, a column that is absent is empty."""

    key: str
    values: Mapping[str, str]
    about: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, column: str) -> str:
        return self.values.get(column, "")

    def number(self, column: str) -> Decimal:
        """The column as a number; zero where the record does not say."""
        return Decimal(self[column] or 0)

    def but(self, **values: str | Decimal | date) -> Record:
        """The same record, saying something else."""
        return replace(self, values={**self.values, **{name: as_text(value) for name, value in values.items()}})

    def beside(self, suffix: str, **values: str | Decimal | date) -> Record:
        """A further record like this one, with a key of its own."""
        return replace(self.but(**values), key=f"{self.key}+{suffix}")

    def named(self, *columns: str) -> dict[str, str]:
        """Those of the columns that say something: the ids of a matter."""
        return {name: self[name] for name in columns if self[name]}


@dataclass(frozen=True, slots=True)
class Book:
    """The records of one file. ``cut_at`` is the moment up to which the counterparty speaks."""

    name: str
    kind: Kind
    source: str
    day: date
    cut_at: datetime
    records: tuple[Record, ...]


def as_text(value: str | Decimal | date) -> str:
    """A cell."""
    if isinstance(value, Decimal):
        return plain(value)
    return value.isoformat() if isinstance(value, date) else value


def instant(at: datetime) -> str:
    """A time with its zone, to the microsecond."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Dice:
    """Chance that follows from names alone: the same seed and names fall alike, whatever else is planted beside."""

    seed: int
    words: tuple[str, ...] = ()

    def of(self, *words: object) -> Dice:
        """Dice of their own for a matter."""
        return Dice(self.seed, (*self.words, *map(str, words)))

    def number(self, sides: int, *words: object) -> int:
        """From 0 up to ``sides`` - 1."""
        text = "|".join((str(self.seed), *self.words, *map(str, words)))
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % sides

    def order(self, things: Sequence[str]) -> list[str]:
        """The things, shuffled."""
        return sorted(things, key=lambda thing: (self.number(1 << 60, thing), thing))
