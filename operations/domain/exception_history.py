"""One line of an exception's history out of one event of its stream. Pure. Unknown kinds still get a line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from operations.domain.exception_kinds import CAUSES, GROUPS


@dataclass(frozen=True, slots=True)
class Told:
    """``code`` names the glyph; ``text`` is what somebody wrote, kept apart from what the house says of it."""

    code: str
    sentence: str
    text: str = ""


def _assigned(payload: Mapping[str, Any]) -> Told:
    to = payload.get("owner") or GROUPS.get(str(payload.get("group")), str(payload.get("group")))
    whose = f", until then {payload['from']}" if payload.get("from") else ""
    word = "Handed back to" if payload.get("back") else "Given to"
    return Told("person", f"{word} {to}{whose}", str(payload.get("reason", "")))


def _commented(payload: Mapping[str, Any]) -> Told:
    named = f"Comment, told: {', '.join(payload['named'])}" if payload.get("named") else "Comment"
    return Told("neutral", named, str(payload.get("text", "")))


def _labelled(payload: Mapping[str, Any]) -> Told:
    words = [f"+{label}" for label in payload.get("added", ())] + [
        f"\u2212{label}" for label in payload.get("dropped", ())
    ]
    return Told("neutral", f"Labels {' '.join(words) or 'unchanged'}")


def _opened(payload: Mapping[str, Any]) -> Told:
    back = ", again after it was ended by force" if payload.get("came_back") else ""
    return Told("unknown", f"Raised, {payload.get('severity')}{back}")


def _snoozed(payload: Mapping[str, Any]) -> Told:
    until = str(payload.get("until"))[:16].replace("T", " ")
    return Told("waiting", f"Put aside until {until} UTC", str(payload.get("reason", "")))


def _escalated(payload: Mapping[str, Any]) -> Told:
    sentence = f"Escalated to {payload.get('to')}, shown as {payload.get('shown_severity')}"
    return Told("warn", sentence, str(payload.get("reason", "")))


_TELLS: dict[str, Callable[[Mapping[str, Any]], Told]] = {
    "ExceptionOpened": _opened,
    "ExceptionWorsened": lambda p: Told("warn", f"Raised again, now {p.get('severity')}"),
    "ExceptionCleared": lambda p: Told("pass", "Settled by the room that raised it", str(p.get("sentence", ""))),
    "ExceptionAssigned": _assigned,
    "ExceptionResumed": lambda p: Told("working", f"Taken up again{': ' + p['why'] if p.get('why') else ''}"),
    "ExceptionSnoozed": _snoozed,
    "ExceptionWaits": lambda p: Told("waiting", f"Waits for {p.get('whom')}"),
    "ExceptionEscalated": _escalated,
    "ExceptionCommented": _commented,
    "ExceptionLabelled": _labelled,
    "ExceptionLinked": lambda p: Told("neutral", f"Linked to {p.get('link')} {p.get('key')}"),
    "ExceptionSeen": lambda p: Told(
        "person", "Seen by a second person" if p.get("person") == 2 else "Seen by a first person"
    ),
    "ExceptionClosed": lambda p: Told(
        "pass", f"Closed: {CAUSES.get(str(p.get('cause')), str(p.get('cause')))}", str(p.get("text", ""))
    ),
    "ExceptionForceClosed": lambda p: Told(
        "refused", "Ended by force while its matter stood", str(p.get("reason", ""))
    ),
}


def describe(kind: str, payload: Mapping[str, Any]) -> Told:
    """The line of one event."""
    tell = _TELLS.get(kind)
    return tell(payload) if tell else Told("neutral", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).capitalize())
