"""The trade feed: what an allocation is called outside, and what the next line about it says. Pure.

A trade is told once as *new*. Another round for the same account in the same block is a *correction* of the same trade, whole,
one version on; what is gone without another round is a *cancel*, and a name that was canceled never comes back. So whoever keeps
the newest line of each name, and drops the canceled, has exactly the allocations there are (:func:`live`).

Steps may come again: what was told already is not told twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

NEW, CORRECTION, CANCEL = "new", "correction", "cancel"
Record = dict[str, Any]


class Verb(StrEnum):
    """What happened to an allocation. Booked again, it left suspense: what is told of it is all told again."""

    BOOKED = "booked"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Step:
    """One happening. ``before`` is the allocation whose place this one takes; ``replaced``: another takes the place of this.

    ``record`` is what is told of it (:func:`allocations.services._feed_records.records_of`); none is needed of one that ended.
    """

    verb: Verb
    allocation_id: UUID
    number: int
    event_id: UUID
    before: UUID | None = None
    replaced: bool = False
    record: Record = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the feed, before it has its position."""

    what: str
    trade_ref: str
    version: int
    allocation_id: UUID
    payload: Record
    cause: UUID


def trade_name(number: int) -> str:
    """The trade's name outside: that of the first allocation it was told as."""
    return f"T-{number}"


def next_entries(steps: Sequence[Step], told: Iterable[Entry]) -> list[Entry]:
    """The lines that the steps add to what was ``told`` of their allocations and of those whose place they take."""
    newest: dict[str, Entry] = {}
    names: dict[UUID, str] = {}
    for entry in told:
        _keep(entry, newest, names)
    added: list[Entry] = []
    for step in steps:
        adds = _next(step, newest, names)
        if adds is not None:
            _keep(adds, newest, names)
            added.append(adds)
    return added


def _keep(entry: Entry, newest: dict[str, Entry], names: dict[UUID, str]) -> None:
    names[entry.allocation_id] = entry.trade_ref
    last = newest.get(entry.trade_ref)
    if last is None or last.version < entry.version:
        newest[entry.trade_ref] = entry


def _next(step: Step, newest: Mapping[str, Entry], names: Mapping[UUID, str]) -> Entry | None:
    own = newest.get(names.get(step.allocation_id, ""))
    if step.verb is Verb.BOOKED:
        if own is not None:
            return _released(step, own)
        last = newest.get(names.get(step.before, "")) if step.before else None
        if last is not None and last.what != CANCEL and last.allocation_id == step.before:
            return _entry(CORRECTION, last.trade_ref, last.version + 1, step, step.record)
        return _entry(NEW, trade_name(step.number), 1, step, step.record)
    if own is None or own.what == CANCEL or own.allocation_id != step.allocation_id:
        return None
    return None if step.replaced else _entry(CANCEL, own.trade_ref, own.version + 1, step, own.payload)


def _released(step: Step, own: Entry) -> Entry | None:
    """A share that was told as parked and is not any more; anything else was told already."""
    standing = own.what != CANCEL and own.allocation_id == step.allocation_id
    if not standing or own.payload["state"] != "parked" or step.record["state"] == "parked":
        return None
    return _entry(CORRECTION, own.trade_ref, own.version + 1, step, step.record)


def _entry(what: str, trade_ref: str, version: int, step: Step, record: Record) -> Entry:
    payload = {
        **record,
        "what": what,
        "trade_ref": trade_ref,
        "version": version,
        "replaces_version": version - 1 if version > 1 else None,
    }
    return Entry(what, trade_ref, version, step.allocation_id, payload, step.event_id)


def live(entries: Iterable[Entry]) -> dict[str, Entry]:
    """What a reader has who keeps the newest line of each trade and drops what was canceled."""
    newest: dict[str, Entry] = {}
    names: dict[UUID, str] = {}
    for entry in entries:
        _keep(entry, newest, names)
    return {ref: entry for ref, entry in newest.items() if entry.what != CANCEL}
