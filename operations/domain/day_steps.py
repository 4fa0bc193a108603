"""The steps of a day's begin and end, in order, and how far a run of them is. Pure.

A run is a row that any process may go on with: each step is done at most a little too often, never too seldom, because every
one of them asks first what is there already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reconciliation.domain.transitions import Transition

START, END = "start", "end"
WAITING, RUNNING, DONE = "waiting", "running", "done"

RUN: tuple[Transition, ...] = (
    Transition("begin", (WAITING,), RUNNING, "a step is being done"),
    Transition("pause", (RUNNING,), WAITING, "a step waits for the world: a close, a venue, a file, a person"),
    Transition("finish", (RUNNING,), DONE, "every step is done"),
)

STEPS: dict[str, tuple[str, ...]] = {
    START: ("feeds", "intake", "open_orders", "compare"),
    END: ("close", "expire", "roll", "positions", "notes", "compare", "seal", "picture", "report"),
}
SAYS: dict[str, str] = {
    "feeds": "Files that are owed have come",
    "intake": "What they say is in our books",
    "open_orders": "What venues list as open is as we have it",
    "compare": "What files say is compared with our books",
    "close": "The market has closed",
    "expire": "Day orders are over by the venue's word",
    "roll": "Good-till orders stand ready for the next day",
    "positions": "Positions and cash of the day are written down",
    "notes": "Clients have the contract notes that nothing can change any more",
    "seal": "The journal is sealed",
    "picture": "A snapshot of the picture is kept",
    "report": "What is open is counted, and the day's end is told",
}

VENUE_PATIENCE = timedelta(minutes=30)
"""After the close and its grace: so long the venue may take to say that day orders are over."""
PICTURE_PATIENCE = timedelta(minutes=10)
STANDS_STILL = timedelta(hours=2)
"""A run that is not done so long after it began is a person's matter."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of one step. Not ``done``: it is tried again. ``figures`` is plain JSON."""

    done: bool
    sentence: str
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is, for people: ``at`` of ``of`` steps, what is being done or waited for."""

    at: int
    of: int
    step: str
    says: str
    sentence: str


def next_step(kind: str, kept: Mapping[str, Mapping[str, Any]]) -> str | None:
    """The first step that is not done; None when all are. They are worked in order: a run whose last step is done has done all
    there were, though one was added since."""
    steps = STEPS[kind]
    if kept.get(steps[-1], {}).get("done"):
        return None
    return next((step for step in steps if not kept.get(step, {}).get("done")), None)


def in_order(kind: str, kept: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """What is kept of a run's steps, in the order they are worked (a row of JSON has none)."""
    return {step: kept[step] for step in STEPS[kind] if step in kept}


def progress(kind: str, kept: Mapping[str, Mapping[str, Any]]) -> Progress:
    """Of a run by what is kept of its steps."""
    step, steps = next_step(kind, kept), STEPS[kind]
    if step is None:
        return Progress(len(steps), len(steps), "", "Done", "")
    done = sum(1 for one in steps if kept.get(one, {}).get("done"))
    return Progress(done, len(steps), step, SAYS[step], str(kept.get(step, {}).get("sentence", "")))


def as_kept(outcome: Outcome, before: Mapping[str, Any] | None, at: datetime) -> dict[str, Any]:
    """What stays of a step in its run; ``began_at`` is of its first try."""
    began = (before or {}).get("began_at") or at.isoformat()
    return {
        "done": outcome.done,
        "sentence": outcome.sentence,
        "figures": dict(outcome.figures),
        "began_at": began,
        "at": at.isoformat(),
    }
