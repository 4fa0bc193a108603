"""A note's facts as the bytes that were given to the client, whichever version of the page they were given on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from allocations.printing.note_v1 import note_v1
from kernel.canonical import canonical_json, sha256
from kernel.errors import InvariantBroken

VERSIONS: Mapping[int, Callable[[Mapping[str, Any]], bytes]] = {1: note_v1}


def render_note(facts: Mapping[str, Any], template_version: int) -> bytes:
    """The PDF. Raises InvariantBroken NOTE_TEMPLATE_UNKNOWN for a version that this build does not have."""
    draw = VERSIONS.get(template_version)
    if draw is None:
        raise InvariantBroken("NOTE_TEMPLATE_UNKNOWN", f"No page of version {template_version} is known to this build.")
    return draw(facts)


def facts_digest(facts: Mapping[str, Any]) -> bytes:
    """SHA-256 of the facts in their one canonical form."""
    return sha256(canonical_json(facts))
