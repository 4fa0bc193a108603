"""Which anomalies suggest that our books and a counterparty's may differ, and what is to be compared because of one. Pure.

What a session says, or did not say, concerns what is kept of its venue; an order's concerns the venues of its market; what the house
finds wrong with itself concerns everybody. Breaks and runs suggest nothing here: they are what a comparison finds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

QUIET = timedelta(minutes=10)
"""A kind and source is not compared because of an anomaly twice within this: what comes in a storm is one matter."""


class Of(StrEnum):
    """What a suspicion concerns."""

    SESSION = "session"
    ORDER = "order"
    HOUSE = "house"


SUSPICIOUS: dict[str, Of] = {
    # Recovery compared open orders after a reset or a gap, and they are not what the venue says.
    "EXECUTION_MISSING": Of.SESSION,
    "EXECUTION_SURPLUS": Of.SESSION,
    "UNKNOWN_AT_VENUE": Of.SESSION,
    "TERMS_DIFFER": Of.SESSION,
    "LIFE_DIFFERS": Of.SESSION,
    "NO_ANSWER": Of.SESSION,
    "ORDER_NOT_OURS": Of.SESSION,
    # A report that names an order which is none of ours, or a message that is in nobody's books.
    "UNKNOWN_ORDER": Of.SESSION,
    "WIRE_MESSAGE_SET_ASIDE": Of.SESSION,
    # What a venue says of one order cannot all be true, or names what we do not have.
    "OVERFILL": Of.ORDER,
    "CONTRADICTION": Of.ORDER,
    "AMBIGUOUS_REF": Of.ORDER,
    "PARKED_BUST": Of.ORDER,
    "CORRECTED_BUST": Of.ORDER,
    "UNKNOWN_KIND": Of.ORDER,
    "REJECTED_AFTER_TRADE": Of.ORDER,
    "FILED_EXECUTION_DIFFERS": Of.ORDER,
    # Our tables are not what our events say, or an invariant does not hold.
    "FSCK_FAILED": Of.HOUSE,
    "REPLAY_DIFFERS": Of.HOUSE,
    "EVENT_SET_ASIDE": Of.HOUSE,
}


@dataclass(frozen=True, slots=True)
class Suspicion:
    """``name`` is the session's, or the order's id; empty where the whole house is concerned."""

    of: Of
    name: str = ""


def suspicion_of(payload: Mapping[str, Any]) -> Suspicion | None:
    """What an anomaly's payload suggests; None where it suggests nothing, or does not name what it is about."""
    of = SUSPICIOUS.get(str(payload.get("kind")))
    if of is None or of is Of.HOUSE:
        return Suspicion(of) if of else None
    named = str(payload.get("subject_id", "")) if payload.get("subject_type") == of.value else ""
    if of is Of.SESSION:
        named = str((payload.get("evidence") or {}).get("session", "")) or named
    return Suspicion(of, named) if named else None
