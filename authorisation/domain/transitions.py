"""The states of an authorisation request: one table behind the model's transitions, the trigger and the diagram."""

from __future__ import annotations

from dataclasses import dataclass

PENDING = "pending"
CLAIMED = "claimed"
SENT_BACK = "sent_back"
APPROVED = "approved"
NOT_APPLIED = "not_applied"
DECLINED = "declined"
LAPSED = "lapsed"
WITHDRAWN = "withdrawn"

CLOSED = frozenset({APPROVED, NOT_APPLIED, DECLINED, LAPSED, WITHDRAWN})
OPEN = (PENDING, CLAIMED, SENT_BACK)  # something waits: for a checker, or for its maker
DECIDABLE = (PENDING, CLAIMED)


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed move from any of ``sources``; ``why`` is the line under the arrow."""

    name: str
    sources: tuple[str, ...]
    target: str
    why: str


TRANSITIONS: tuple[Transition, ...] = (
    Transition("claim", DECIDABLE, CLAIMED, "a checker looks at it"),
    Transition("put_back", (CLAIMED,), PENDING, "the checker lets it go, or said yes and more people are needed"),
    Transition("send_back", DECIDABLE, SENT_BACK, "a checker asks the maker something"),
    Transition("resubmit", (SENT_BACK,), PENDING, "the maker answers, in a new version"),
    Transition("approve", DECIDABLE, APPROVED, "the last person needed said yes and it was done"),
    Transition(
        "approve_without_effect", DECIDABLE, NOT_APPLIED, "the last person needed said yes, the checks of now no"
    ),
    Transition("decline", DECIDABLE, DECLINED, "a second person said no"),
    Transition("lapse", OPEN, LAPSED, "nobody decided in time"),
    Transition("withdraw", OPEN, WITHDRAWN, "the maker took it back, or its subject went away"),
)
BY_NAME = {transition.name: transition for transition in TRANSITIONS}
PAIRS = tuple(
    (source, transition.target)
    for transition in TRANSITIONS
    for source in transition.sources
    if source != transition.target
)


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {PENDING}"]
    lines += [f"    {source} --> {move.target}: {move.name}" for move in TRANSITIONS for source in move.sources]
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in sorted(CLOSED))])
