"""Sweeper: the canaries of the day, once a day, before any market of it opens; again where the last run was not clean."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from orders.services.run_canaries import run_canaries
from risk.selectors.canaries import last_canary_run

AGAIN_AFTER = timedelta(minutes=5)


def run_due_canaries(*, at: datetime) -> bool:
    """Whether it ran them. The day is the UTC date: it begins before XASX opens, the first market of a date."""
    last = last_canary_run()
    today = datetime.combine(at.astimezone(UTC).date(), time(), UTC)
    if last is not None and last.at >= today and (last.clean or at - last.at < AGAIN_AFTER):
        return False
    return run_canaries(at=at).ran
