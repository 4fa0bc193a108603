"""Reads the query parameters of the event stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kernel.errors import Invalid
from outbound.domain.contracts import BY_KIND
from outbound.domain.positions import BEGINNING, NOW, read_position

PARAMETERS = {"after", "limit", "kinds", "wait"}
MOST_EVENTS = 500
LONGEST_WAIT_S = 5


@dataclass(frozen=True, slots=True)
class EventQuery:
    """``after`` is None for *from now on*; ``kinds`` None for all."""

    after: int | None
    limit: int
    kinds: frozenset[str] | None
    wait_s: int


def read_query(parameters: Mapping[str, str]) -> EventQuery:
    """The query of ``GET /events``. Raises Invalid PARAMETERS_INVALID with a sentence a parameter."""
    faults: dict[str, list[str]] = {name: ["Not known."] for name in parameters if name not in PARAMETERS}
    text = parameters.get("after", BEGINNING)
    after = None if text == NOW else read_position(text)
    if after is None and text != NOW:
        faults["after"] = ["A position or next of ours, 0 for the beginning, or now."]
    limit = _whole(parameters, "limit", 1, MOST_EVENTS, 100, faults)
    wait_s = _whole(parameters, "wait", 0, LONGEST_WAIT_S, 0, faults)
    kinds = _kinds(parameters, faults)
    if faults:
        raise Invalid("PARAMETERS_INVALID", "Some query parameters are unknown or malformed.", faults)
    return EventQuery(after, limit, kinds, wait_s)


def _kinds(parameters: Mapping[str, str], faults: dict[str, list[str]]) -> frozenset[str] | None:
    """Kinds or whole families, comma-separated."""
    if "kinds" not in parameters:
        return None
    found: set[str] = set()
    for name in parameters["kinds"].split(","):
        matched = {kind for kind in BY_KIND if name.strip() in (kind, kind.partition(".")[0])}
        if not matched:
            faults["kinds"] = ["Kinds or families of the contract, comma-separated."]
        found |= matched
    return frozenset(found)


def _whole(
    parameters: Mapping[str, str], name: str, least: int, most: int, absent: int, faults: dict[str, list[str]]
) -> int:
    text = parameters.get(name, str(absent))
    if not (text.isascii() and text.isdigit() and len(text) <= 6 and least <= int(text) <= most):
        faults[name] = [f"A whole number from {least} to {most}."]
        return absent
    return int(text)
