"""What becomes of a message while its session is down: refuse at once, wait, or refuse after the wait.

Market, IOC and FOK orders, and auction orders past their cut-off, are refused at once: late they would be another
order. Others wait ``wait_s`` seconds from the moment they were routed. Cancels wait as long. The submitter is told
either way.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from kernel.fix import OrdType, TimeInForce
from venues.domain.messages import IntentKind

SESSION_DOWN = "SESSION_DOWN"
WAITED_TOO_LONG = "WAITED_TOO_LONG"
AUCTION_MISSED = "AUCTION_MISSED"

_NOW_OR_NEVER = frozenset({TimeInForce.IOC, TimeInForce.FOK})
_AUCTION = frozenset({TimeInForce.AT_OPEN, TimeInForce.AT_CLOSE})


class Verdict(StrEnum):
    """What the gateway does with a waiting intent."""

    WAIT = "wait"
    REFUSE = "refuse"


def judge(
    *,
    kind: IntentKind,
    ord_type: OrdType,
    time_in_force: TimeInForce,
    created_at: datetime,
    not_after: datetime,
    wait_s: int,
    now: datetime,
) -> tuple[Verdict, str]:
    """The verdict and, for a refusal, its code. Called only while the session is down."""
    if kind is IntentKind.NEW:
        if ord_type is OrdType.MARKET and time_in_force not in _AUCTION:
            return Verdict.REFUSE, SESSION_DOWN
        if time_in_force in _NOW_OR_NEVER:
            return Verdict.REFUSE, SESSION_DOWN
        if time_in_force in _AUCTION and now >= not_after:
            return Verdict.REFUSE, AUCTION_MISSED
    if now >= created_at + timedelta(seconds=wait_s) or now >= not_after:
        return Verdict.REFUSE, WAITED_TOO_LONG
    return Verdict.WAIT, ""
