"""Planting: which records are changed, how, and what must be found of it. Pure, deterministic by seed.

A ``Plant`` kind says which groups of records it may change and what it makes of one group. Two plants never touch the same
record, so each is found or missed for itself. What a run must say is ``expected``: nothing, where the difference is none
that matters. Nothing here knows how matching works: the expectation follows from what was done to the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from kernel.errors import Invalid
from reconciliation.domain.making.sheet import Book, Dice, Record
from reconciliation.domain.records import Kind

Group = tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """One break that a run must find: its category and ids that it must name."""

    category: str
    ids: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the records of a group, by their keys. ``suspect``: the whole file must be doubted; ``cut_at``: it ends there."""

    records: Mapping[str, Group]
    expected: tuple[Expected, ...]
    says: str
    suspect: bool = False
    cut_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlantKind:
    """``says`` is its line in the help and in the docs."""

    kind: Kind
    name: str
    says: str
    groups: Callable[[Book], Iterable[Group]]
    change: Callable[[Group, Dice], Change]

    @property
    def full_name(self) -> str:
        return f"{self.kind.value}.{self.name}"


@dataclass(frozen=True, slots=True)
class Planted:
    """A plant that is in a file: in which one, and which records it put there or took away."""

    plant: PlantKind
    file: str
    change: Change
    before: Group
    after: Group = field(default=())


def plant(
    books: Sequence[Book], wishes: Sequence[tuple[PlantKind, int]], *, seed: int
) -> tuple[list[Book], list[Planted]]:
    """The books with exactly so many plants of each kind in them.

    Raises Invalid TOO_FEW_RECORDS when the books have fewer records that a plant could change.
    """
    at = {book.name: index for index, book in enumerate(books)}
    changed, planted, taken = list(books), [], set[tuple[str, str]]()
    # What needs more than one record, or all of them, chooses first: the others find a place more easily.
    for kind, count in wishes:
        dice = Dice(seed).of(kind.full_name)
        groups = {
            f"{book.name}:{group[0].key}": (book.name, group)
            for book in books
            if book.kind is kind.kind
            for group in kind.groups(_within_cut(book))
        }
        done = 0
        for name in dice.order(list(groups)):
            if done == count:
                break
            file, group = groups[name]
            keys = {(file, record.key) for record in group}
            if keys & taken:
                continue
            taken |= keys
            change = kind.change(group, dice.of(name))
            changed[at[file]] = _replaced(changed[at[file]], change)
            after = tuple(record for records in change.records.values() for record in records)
            planted.append(Planted(kind, file, change, group, after))
            done += 1
        if done < count:
            sentence = f"{kind.full_name}: {count} are asked for, the books of the day have room for {done}."
            raise Invalid("TOO_FEW_RECORDS", sentence, {"breaks": [sentence]})
    return changed, planted


def _within_cut(book: Book) -> Book:
    """What it has traded up to its cut: what comes after is no matter of this file, so nothing can be found of a plant there."""
    if book.kind is not Kind.EXECUTIONS:
        return book
    within = (
        one
        for one in book.records
        if not one["transact_time"] or datetime.fromisoformat(one["transact_time"]) <= book.cut_at
    )
    return replace(book, records=tuple(within))


def _replaced(book: Book, change: Change) -> Book:
    records = [new for record in book.records for new in change.records.get(record.key, (record,))]
    return replace(book, records=tuple(records), cut_at=change.cut_at or book.cut_at)


def singles(accepts: Callable[[Record], bool] = lambda record: True) -> Callable[[Book], Iterable[Group]]:
    """Each record that is accepted, alone."""
    return lambda book: ((record,) for record in book.records if accepts(record))


def pairs_within(key: Callable[[Record], str], accepts: Callable[[Record], bool]) -> Callable[[Book], Iterable[Group]]:
    """Neighbours of the same key, two by two."""

    def groups(book: Book) -> Iterable[Group]:
        by_key: dict[str, list[Record]] = {}
        for record in book.records:
            if accepts(record):
                by_key.setdefault(key(record), []).append(record)
        for records in by_key.values():
            yield from zip(records[::2], records[1::2], strict=False)

    return groups


def instead(before: Record, *after: Record) -> dict[str, Group]:
    """The record's place is taken by those."""
    return {before.key: after}


def most_of(book: Book) -> Iterable[Group]:
    """Two thirds of the book as one group: what a cut transfer loses."""
    lost = book.records[len(book.records) // 3 :]
    return [lost] if lost else []


def lose(group: Group, dice: Dice) -> Change:
    """The file ends too early, and says nothing of it."""
    return Change(
        {record.key: () for record in group}, (), f"{len(group)} of the last records are not in the file", suspect=True
    )
