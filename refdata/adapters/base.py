"""The interface of a price feed: one connection, read in portions, closed when lost.

A feed first tells everything it prices, then what changes, and says at least every few seconds that it lives. Until
the first of it is complete nothing is handed out: a connection vouches for no price it has not told.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from refdata.domain.ticks import FeedTick


class FeedLost(Exception):
    """The connection is gone, or never was. Whoever reads opens another one."""


@dataclass(frozen=True, slots=True)
class FeedWords:
    """What was heard: ticks in their order, the feed's own time of its last word (None: nothing was heard), whether the
    ticks begin with everything it prices, and lines that could not be read (shortened)."""

    ticks: list[FeedTick] = field(default_factory=list)
    heard_at: datetime | None = None
    snapshot: bool = False
    unread: list[str] = field(default_factory=list)


class PriceFeed(Protocol):
    """One connection to a source of prices. ``session`` is new with each connection."""

    session: UUID

    def read(self, *, timeout_s: float) -> FeedWords:
        """What came since the last call; waits up to ``timeout_s`` for something. Raises FeedLost."""
        ...

    def close(self) -> None:
        """Let the connection go; safe to call twice."""
        ...
