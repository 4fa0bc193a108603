"""How far a run and a break are: one table each, behind the model's transitions, the trigger and the diagram. Pure."""

from __future__ import annotations

from dataclasses import dataclass

WAITING, RUNNING, DONE, SUSPECT, FAILED, CANCELED = "waiting", "running", "done", "suspect", "failed", "canceled"
OPEN, ACCEPTED, CLOSED = "open", "accepted", "closed"


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed move from any of ``sources``; ``why`` is the line under the arrow."""

    name: str
    sources: tuple[str, ...]
    target: str
    why: str


RUN: tuple[Transition, ...] = (
    Transition("begin", (WAITING,), RUNNING, "its first step"),
    Transition("finish", (RUNNING,), DONE, "everything was compared"),
    Transition("doubt", (RUNNING,), SUSPECT, "so much differs that the file is doubted, not the books"),
    Transition("fail", (WAITING, RUNNING), FAILED, "it could not be done; what it found is not kept"),
    Transition("cancel", (WAITING, RUNNING), CANCELED, "somebody stopped it"),
)
BREAK: tuple[Transition, ...] = (
    Transition("accept", (OPEN,), ACCEPTED, "a difference in time, until a day"),
    Transition("reopen", (ACCEPTED,), OPEN, "the day has come and it still differs"),
    Transition("close", (OPEN, ACCEPTED), CLOSED, "the facts agree, or a repair or a match was decided"),
)
ENDED = frozenset({DONE, SUSPECT, FAILED, CANCELED})
COMPARED = frozenset({DONE, SUSPECT})
"""Ended with everything compared, whether the file is believed or doubted."""


def pairs(table: tuple[Transition, ...]) -> tuple[tuple[str, str], ...]:
    """``(from, to)`` of every arrow."""
    return tuple((source, move.target) for move in table for source in move.sources)


def sources_of(table: tuple[Transition, ...], name: str) -> list[str]:
    """Where the named move may begin."""
    return [source for move in table if move.name == name for source in move.sources]


def diagram(table: tuple[Transition, ...]) -> str:
    """The table as a Mermaid state diagram."""
    first = table[0].sources[0]
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    return "\n".join(
        [*lines, *(f"    {source} --> {move.target}: {move.name}" for move in table for source in move.sources)]
    )
