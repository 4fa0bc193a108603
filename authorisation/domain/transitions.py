"""The states of an authorisation request: one table behind the model's transitions, the trigger and the diagram."""

from __future__ import annotations

from dataclasses import dataclass

PENDING = "pending"
APPROVED = "approved"
NOT_APPLIED = "not_applied"
DECLINED = "declined"
LAPSED = "lapsed"
WITHDRAWN = "withdrawn"

CLOSED = frozenset({APPROVED, NOT_APPLIED, DECLINED, LAPSED, WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed move; ``why`` is the line under the arrow."""

    name: str
    source: str
    target: str
    why: str


TRANSITIONS: tuple[Transition, ...] = (
    Transition("approve", PENDING, APPROVED, "a second person said yes and it was done"),
    Transition("approve_without_effect", PENDING, NOT_APPLIED, "a second person said yes, the checks of now no"),
    Transition("decline", PENDING, DECLINED, "a second person said no"),
    Transition("lapse", PENDING, LAPSED, "nobody decided in time"),
    Transition("withdraw", PENDING, WITHDRAWN, "the maker took it back, or its subject went away"),
)
BY_NAME = {transition.name: transition for transition in TRANSITIONS}
PAIRS = tuple((transition.source, transition.target) for transition in TRANSITIONS)
