"""Which marks are in force at a time: of several of one key, the one that began last. Pure.

A mark without a beginning was always there; a temporary mark shadows it until it ends, and then the other holds again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from risk.domain.facts import LimitFact

Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class DatedLimit:
    """A mark and when it is in force: from ``since`` on, before ``until``; None is no bound."""

    limit: LimitFact
    since: datetime | None = None
    until: datetime | None = None

    @property
    def key(self) -> Key:
        return (self.limit.kind, self.limit.scope, self.limit.scope_id, self.limit.currency)

    def covers(self, at: datetime) -> bool:
        """Whether it is in force at a time, were it alone."""
        return (self.since is None or self.since <= at) and (self.until is None or at < self.until)


def in_force(limits: Iterable[DatedLimit], at: datetime) -> tuple[LimitFact, ...]:
    """One mark a key, in the order in which the keys first appear."""
    chosen: dict[Key, DatedLimit] = {}
    for item in limits:
        if not item.covers(at):
            continue
        other = chosen.get(item.key)
        if other is None or _later(item, other):
            chosen[item.key] = item
    return tuple(item.limit for item in chosen.values())


def _later(item: DatedLimit, other: DatedLimit) -> bool:
    if item.since is None or other.since is None:
        return other.since is None and item.since is not None
    return item.since > other.since
