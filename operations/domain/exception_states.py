"""The states of an exception item: one table behind the model's transitions, the trigger and the diagram. Pure.

Open states are those in which somebody still has to do something. Whoever works on a matter owns it: from *under review*,
*snoozed* and *waiting* on there is a person. The three ends are never left: a matter that comes back is another item.
"""

from __future__ import annotations

from dataclasses import dataclass

UNREVIEWED = "unreviewed"
UNDER_REVIEW = "under_review"
SNOOZED = "snoozed"
WAITING = "waiting"
CLEARED = "cleared"
CLOSED = "closed"
FORCE_CLOSED = "force_closed"

OPEN = (UNREVIEWED, UNDER_REVIEW, SNOOZED, WAITING)
OWNED = (UNDER_REVIEW, SNOOZED, WAITING)
RESTING = (SNOOZED, WAITING)


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed move from any of ``sources``; ``why`` is the line under the arrow."""

    name: str
    sources: tuple[str, ...]
    target: str
    why: str


TRANSITIONS: tuple[Transition, ...] = (
    Transition("review", OPEN, UNDER_REVIEW, "a person takes it, or goes on with it"),
    Transition("hand_over", OPEN, UNREVIEWED, "it goes to another person or group, who has not looked at it"),
    Transition("snooze", OPEN, SNOOZED, "its owner looks again at a stated time, its deadline at the latest"),
    Transition("wait", OPEN, WAITING, "somebody outside the house has to answer"),
    Transition("clear", OPEN, CLEARED, "the room that raised it says that it is settled"),
    Transition("close", OPEN, CLOSED, "a person settled what only a person settles"),
    Transition("force_close", OPEN, FORCE_CLOSED, "a second person ends it though the matter still stands"),
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
    lines = ["stateDiagram-v2", f"    [*] --> {UNREVIEWED}: raised"]
    lines += [
        f"    {source} --> {move.target}: {move.name}"
        for move in TRANSITIONS
        for source in move.sources
        if source != move.target
    ]
    return "\n".join([*lines, *(f"    {end} --> [*]" for end in (CLEARED, CLOSED, FORCE_CLOSED))])
