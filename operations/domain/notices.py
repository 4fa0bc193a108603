"""Whom an event of an exception is told to, and under which heading several are told as one. Pure.

One heading is one notice a person, however many events meet under it: kind of matter and minute. So a storm of thousands is a
handful of lines, each with its count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from operations.domain.exception_kinds import HEADS, kind_of
from operations.domain.exception_rank import HEAD, SEVERITIES

RAISED = "raised"
WORSENED = "worsened"
GIVEN = "given"
NAMED = "named"
ESCALATED = "escalated"
WORDS = {
    RAISED: "raised for your group",
    WORSENED: "got worse",
    GIVEN: "given to you or your group",
    NAMED: "comments that name you",
    ESCALATED: "escalated to you",
}
ALWAYS = frozenset({GIVEN, NAMED, ESCALATED})
"""What is meant for a person in particular: no preference keeps it from them."""


@dataclass(frozen=True, slots=True)
class Call:
    """An event to be told: to these people by id or name, or to everybody of a group who may see the item."""

    about: str
    kind: str
    topic: str
    severity: str
    users: frozenset[int] = frozenset()
    names: frozenset[str] = frozenset()
    group: str = ""


def call_of(event: str, payload: Mapping[str, Any], *, at: datetime) -> Call | None:
    """What of an event is told, or None: most of what happens to an item is nobody's news."""
    kind = str(payload.get("kind", ""))
    minute = at.astimezone(UTC).strftime("%Y%m%d%H%M")
    group = str(payload.get("group") or kind_of(kind).group)
    severity = str(payload.get("shown_severity") or payload.get("severity") or "medium")
    owner = payload.get("owner_id")
    users = frozenset({int(owner)}) if owner else frozenset()

    def call(
        about: str, *, key: str = "", names: frozenset[str] = frozenset(), to: frozenset[int] = users, group: str = ""
    ) -> Call:
        return Call(about, kind, f"{about}:{key or kind}:{minute}", severity, to, names, group)

    if event == "ExceptionOpened":
        return call(RAISED, to=frozenset(), group=group)
    if event == "ExceptionWorsened":
        return call(WORSENED, group="" if users else group)
    if event == "ExceptionAssigned":
        return call(GIVEN, group="" if users else group)
    if event == "ExceptionCommented" and payload.get("named"):
        return call(NAMED, key=str(payload.get("exception_id")), names=frozenset(payload["named"]), to=frozenset())
    if event == "ExceptionEscalated":
        level = int(payload.get("level", 1))
        whose = HEADS[group] if level >= HEAD and group in HEADS else group
        return call(
            ESCALATED,
            key=f"{kind}:{level}",
            to=users if level == 1 else frozenset(),
            group="" if users and level == 1 else whose,
        )
    return None


def wants(about: str, severity: str, *, least: str, muted: tuple[str, ...], kind: str) -> bool:
    """Whether a person's preferences let it through."""
    if about in ALWAYS:
        return True
    return kind not in muted and SEVERITIES.index(severity) >= SEVERITIES.index(least)


def sentence_of(about: str, kind: str, count: int) -> str:
    """The notice in words. It names kinds, never what stands in an item: who reads it elsewhere may see less."""
    title = kind_of(kind).title
    return f"{title}: {count} {WORDS[about]}" if count > 1 else f"{title}: {WORDS[about]}"
