"""What the evidence of an exception states, as people read it. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def stated(evidence: Mapping[str, Any]) -> list[tuple[str, str]]:
    """``(name, words)`` of each thing it states. What it leaves open is left out; a record is told field by field."""
    rows = []
    for name, value in evidence.items():
        words = _words(value)
        if words:
            rows.append((name, words))
    return rows


def _words(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        return " · ".join(f"{field} {words}" for field, said in value.items() if (words := _words(said)))
    if isinstance(value, list):
        return ", ".join(words for said in value if (words := _words(said)))
    return str(value)
