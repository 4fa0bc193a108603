"""The states of a subscription: one table behind the model's transitions, the trigger and the diagram. Pure."""

from __future__ import annotations

from dataclasses import dataclass

PAUSED = "paused"
ACTIVE = "active"
ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed move; ``why`` is the line under the arrow."""

    name: str
    source: str
    target: str
    why: str


TRANSITIONS: tuple[Transition, ...] = (
    Transition("resume", PAUSED, ACTIVE, "a person lets it run; it has a secret and its user may still hear"),
    Transition("pause", ACTIVE, PAUSED, "a person stops it, or the house: nothing arrived for a day, its user is gone"),
    Transition("end", PAUSED, ENDED, "a person ends it for good"),
    Transition("end_at_once", ACTIVE, ENDED, "a person ends it for good"),
)
BY_NAME = {transition.name: transition for transition in TRANSITIONS}
PAIRS = tuple((transition.source, transition.target) for transition in TRANSITIONS)


def diagram() -> str:
    """The table as a mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {PAUSED}: a second person approved it"]
    lines += [f"    {one.source} --> {one.target}: {one.why}" for one in TRANSITIONS]
    return "\n".join([*lines, f"    {ENDED} --> [*]"]) + "\n"
