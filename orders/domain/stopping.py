"""What a stop does to an order, and what is proven of it afterwards. Pure.

What has not left the house ends here; what has is the venue's to cancel, and nothing but the venue's word proves that it
was. An order whose cancel was sent is never called canceled because it was sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from kernel.fix import OrdStatus
from orders.domain.transitions import (
    CAPTURED,
    ENDED_BY_US,
    HANDED_OVER,
    PENDING_AUTHORISATION,
    REJECTED,
    RELEASED,
    UNKNOWN,
)

KILL_SWITCH = "KILL_SWITCH"
"""Code of everything that ended here because of a stop."""

MOST_ASKED = 3
"""So often an order is asked to be canceled under one stop; after that a person phones the venue."""
ASK_AGAIN_AFTER = timedelta(seconds=5)

_UNSENT = frozenset({CAPTURED, PENDING_AUTHORISATION, RELEASED})
_FLYING = frozenset({RELEASED, HANDED_OVER, UNKNOWN})


class Found(StrEnum):
    """What the stop found an order to be."""

    UNSENT = "unsent"
    WORKING = "working"
    CANCEL_UNDER_WAY = "cancel_under_way"
    BY_PHONE = "by_phone"
    OVER = "over"


class Asked(NamedTuple):
    """One request of the order. ``approval`` is the question before a second person, where one waits."""

    kind: str
    state: str
    approval: UUID | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do: the requests to refuse by their place, and whether a cancel goes to the venue."""

    found: Found
    refuse: tuple[int, ...]
    cancel: bool


def plan_stop(requests: Sequence[Asked], *, is_open: bool, locked: frozenset[UUID]) -> Plan | None:
    """The plan, or None where an approval came to wait that is not ``locked``: the next pass finds it.

    What left the house is never refused here, and a second cancel never chases one that is under way.
    """
    refuse = tuple(place for place, one in enumerate(requests) if one.kind != "cancel" and one.state in _UNSENT)
    if any(requests[p].state == PENDING_AUTHORISATION and requests[p].approval not in locked for p in refuse):
        return None
    first = next((one for one in requests if one.kind == "new"), None)
    if first is not None and first.state in _UNSENT:
        return Plan(Found.UNSENT, refuse, cancel=False)
    if not is_open:
        return Plan(Found.OVER, refuse, cancel=False)
    if first is None:
        return Plan(Found.BY_PHONE, refuse, cancel=False)
    if any(one.kind == "cancel" and one.state in _FLYING for one in requests):
        return Plan(Found.CANCEL_UNDER_WAY, refuse, cancel=False)
    return Plan(Found.WORKING, refuse, cancel=True)


def asks_again(*, found: str, is_open: bool, asked: int, cancel_state: str, ended_at: datetime, at: datetime) -> bool:
    """Whether a cancel that came to nothing is asked for once more under the stop."""
    came_to_nothing = cancel_state in ENDED_BY_US or cancel_state == REJECTED
    return (
        is_open
        and found != Found.BY_PHONE
        and came_to_nothing
        and asked < MOST_ASKED
        and at - ended_at >= ASK_AGAIN_AFTER
    )


class Proof(StrEnum):
    """What is known of one stopped order now; those before ``TO_SEND`` are proven to work no longer."""

    CANCELED = "canceled"
    FILLED = "filled"
    OVER = "over"
    NEVER_SENT = "never_sent"
    TO_SEND = "to_send"
    WAITING = "waiting"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    BY_PHONE = "by_phone"


PROVEN = frozenset({Proof.CANCELED, Proof.FILLED, Proof.OVER, Proof.NEVER_SENT})
"""The venue's word that the order is over, or ours that it never left."""


def proof_of(*, found: str, is_open: bool, ord_status: str | None, cancel_state: str | None) -> Proof:
    """By the venue's word on the order first, and by the newest cancel only while the venue says that it works."""
    if not is_open:
        if ord_status is None:
            return Proof.NEVER_SENT
        return {OrdStatus.CANCELED.value: Proof.CANCELED, OrdStatus.FILLED.value: Proof.FILLED}.get(
            ord_status, Proof.OVER
        )
    if found == Found.BY_PHONE:
        return Proof.BY_PHONE
    if cancel_state is None or cancel_state in ENDED_BY_US or cancel_state == RELEASED:
        return Proof.TO_SEND
    if cancel_state == UNKNOWN:
        return Proof.UNKNOWN
    return Proof.REFUSED if cancel_state == REJECTED else Proof.WAITING
