"""When something that did not arrive is tried again, when an endpoint is left in peace, when an event is given up. Pure.

Two things can be wrong, and one must not be taken for the other. An *endpoint* that takes nothing is asked again by one
event at a time with growing pauses, and no event dies of it: the journal keeps what waits. An *event* that an endpoint does
not take although it takes others is tried MOST_ATTEMPTS times and is then a dead letter. An endpoint that took nothing for
GIVE_UP_AFTER is paused until a person looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

MOST_ATTEMPTS = 8
FIRST_WAIT_S = 2.0
LONGEST_WAIT_S = 300.0
SPREAD = 0.25  # a wait is up to this part longer or shorter, so that what failed together does not come back together
OPEN_AFTER = 5
GIVE_UP_AFTER = timedelta(hours=24)
MOST_HELD = 1000
SLICE = 64
LANES = 4


@dataclass(frozen=True, slots=True)
class Health:
    """Of an endpoint: failures since its last success, when they began, and until when it is left in peace."""

    failures: int = 0
    failing_since: datetime | None = None
    last_success_at: datetime | None = None
    quiet_until: datetime | None = None

    @property
    def is_open(self) -> bool:
        """The breaker: only one event at a time is tried."""
        return self.failures >= OPEN_AFTER

    def may_try(self, at: datetime) -> bool:
        """Whether anything may be sent now."""
        return self.quiet_until is None or at >= self.quiet_until

    def is_given_up(self, at: datetime) -> bool:
        """Whether it took nothing for so long that a person must look."""
        return self.failing_since is not None and at - self.failing_since >= GIVE_UP_AFTER

    def after(self, outcomes: Iterable[bool], *, at: datetime, unit: float) -> Health:
        """The health after these attempts in the order they ended; ``unit`` is random in [0, 1)."""
        health = self
        for arrived in outcomes:
            if arrived:
                health = Health(last_success_at=at)
            else:
                since = health.failing_since or at
                health = replace(health, failures=health.failures + 1, failing_since=since)
        if health.is_open and health is not self:
            return replace(health, quiet_until=at + wait(health.failures - OPEN_AFTER + 2, unit))
        return health


def wait(attempts: int, unit: float) -> timedelta:
    """How long to wait after the ``attempts``-th failure in a row; ``unit`` is random in [0, 1)."""
    plain = min(FIRST_WAIT_S * 2 ** min(attempts - 1, 20), LONGEST_WAIT_S)
    return timedelta(seconds=plain * (1 + SPREAD * (2 * unit - 1)))


def is_dead(*, attempts: int, first_failed_at: datetime, health: Health) -> bool:
    """Whether the event is given up: tried often enough, and the endpoint took something else meanwhile."""
    return attempts >= MOST_ATTEMPTS and health.last_success_at is not None and health.last_success_at > first_failed_at
