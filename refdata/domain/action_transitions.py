"""The states of a corporate action: one table behind the model's transitions, the trigger and the diagram.

What happened is never taken out of the record: an action that was applied is undone by bookings of its own, and a notice
that was wrong is canceled or corrected by a further version.
"""

from __future__ import annotations

from dataclasses import dataclass

ANNOUNCED = "announced"
CHECKED = "checked"
APPROVED = "approved"
APPLYING = "applying"
EX_APPLIED = "ex_applied"
PAYING = "paying"
APPLIED = "applied"
UNDOING = "undoing"
UNDONE = "undone"
CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed move; ``why`` is the line under the arrow."""

    name: str
    sources: tuple[str, ...]
    target: str
    why: str


TRANSITIONS: tuple[Transition, ...] = (
    Transition("check", (ANNOUNCED,), CHECKED, "somebody looked at its effect and asked a second person"),
    Transition("send_back", (CHECKED, APPROVED), ANNOUNCED, "declined, lapsed, or corrected by a new version"),
    Transition("approve", (CHECKED,), APPROVED, "a second person said yes"),
    Transition("begin", (APPROVED,), APPLYING, "its ex date has come: the instrument is blocked, orders are treated"),
    Transition("reach_ex", (APPLYING,), EX_APPLIED, "every account is booked as of the ex date; a payment is to come"),
    Transition("pay", (EX_APPLIED,), PAYING, "the payment was confirmed"),
    Transition("complete", (APPLYING, PAYING), APPLIED, "every account is booked"),
    Transition("take_back", (EX_APPLIED, APPLIED), UNDOING, "a second person said that it was wrong"),
    Transition("undo", (UNDOING,), UNDONE, "every booking of it has its reversal"),
    Transition("cancel", (ANNOUNCED, CHECKED, APPROVED), CANCELED, "the issuer or its announcer took it back"),
)
BY_NAME = {transition.name: transition for transition in TRANSITIONS}
PAIRS = tuple((source, one.target) for one in TRANSITIONS for source in one.sources)
STATES = tuple(dict.fromkeys([ANNOUNCED, *(target for _, target in PAIRS)]))

NOT_BEGUN = frozenset({ANNOUNCED, CHECKED, APPROVED})
STANDS = frozenset({EX_APPLIED, PAYING, APPLIED})
"""States in which every account holds what the action entitles it to."""
BLOCKING = frozenset({APPLYING, UNDOING})
"""States in which the instrument takes no new risk."""


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {ANNOUNCED}"]
    lines += [f"    {source} --> {one.target}: {one.name}" for one in TRANSITIONS for source in one.sources]
    return "\n".join(lines)
