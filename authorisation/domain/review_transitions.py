"""The states of an access review and of its lines: one table each behind the models' transitions, the triggers and the diagram."""

from __future__ import annotations

from collections.abc import Iterable

from authorisation.domain.transitions import Transition

OPEN = "open"
CLOSING = "closing"
CLOSED = "closed"

UNREVIEWED = "unreviewed"
KEPT = "kept"
REMOVED = "removed"
ENDED = "ended"
LAPSED = "lapsed"
HELD = "held"
GONE = "gone"

DECIDABLE = frozenset({UNREVIEWED, KEPT, REMOVED})

REVIEW_TRANSITIONS: tuple[Transition, ...] = (
    Transition(
        "ask_close", (OPEN,), CLOSING, "somebody asked for the close; no line moves while a second person looks"
    ),
    Transition("reopen", (CLOSING,), OPEN, "the close was declined, withdrawn, or nobody decided in time"),
    Transition("close", (CLOSING,), CLOSED, "a second person approved; what was not kept has ended"),
)
LINE_TRANSITIONS: tuple[Transition, ...] = (
    Transition("keep", (UNREVIEWED, REMOVED), KEPT, "a reviewer says that it is still needed"),
    Transition("remove", (UNREVIEWED, KEPT), REMOVED, "a reviewer says that it must end"),
    Transition("end", (REMOVED,), ENDED, "it ended with the close"),
    Transition("lapse", (UNREVIEWED,), LAPSED, "nobody reviewed it; it ended with the close"),
    Transition("hold", (UNREVIEWED, REMOVED), HELD, "the last holder: it stays, and somebody owns that"),
    Transition("vanish", (UNREVIEWED, KEPT, REMOVED), GONE, "it had ended before the close"),
)
REVIEW_PAIRS = tuple((source, one.target) for one in REVIEW_TRANSITIONS for source in one.sources)
LINE_PAIRS = tuple((source, one.target) for one in LINE_TRANSITIONS for source in one.sources)


def sources(transitions: Iterable[Transition], name: str) -> list[str]:
    """The states in which a move of that name may begin."""
    return [source for one in transitions if one.name == name for source in one.sources]


def review_diagram() -> str:
    """The states of a review as a Mermaid state diagram."""
    return _diagram(REVIEW_TRANSITIONS, OPEN, (CLOSED,))


def line_diagram() -> str:
    """The states of a line of a review as a Mermaid state diagram."""
    return _diagram(LINE_TRANSITIONS, UNREVIEWED, (KEPT, ENDED, LAPSED, HELD, GONE))


def _diagram(transitions: Iterable[Transition], first: str, last: Iterable[str]) -> str:
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f"    {source} --> {one.target}: {one.name}" for one in transitions for source in one.sources]
    return "\n".join([*lines, *(f"    {state} --> [*]" for state in last)])
