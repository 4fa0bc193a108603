"""What is agreed with a source about its file, as somebody asks to change it: every term as text, read and judged. Pure.

``TERMS`` are the columns of a feed by name, in the order a form shows them. Whether market, zone and calendar exist is asked of
``known``, so that nothing here reads a table.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

from reconciliation.domain.records import Kind

TERMS: dict[str, str] = {
    "title": "What people call it",
    "kind": "What its files are about",
    "source": "Whose word it is",
    "pattern": "Name of its files: * and ?",
    "folder": "Folder below incoming",
    "format": "Format; empty: told from the content",
    "market": "Market whose days of business count, or",
    "settlement_calendar": "settlement calendar",
    "due": "Due, wall time",
    "zone": "in the zone",
    "lag": "Days of business between what it is about and when it is due",
    "grace_s": "Late after, seconds",
    "missing_after_s": "Missing after, seconds",
    "mandatory": "The start of day waits for it",
    "gates": "Nothing adds risk before it is applied",
    "signature_key": "Key that must sign it; empty: unsigned",
    "sequence": "A gap in its numbers",
    "resend": "A second file of a day",
    "partial": "Bad rows",
    "largest": "Largest size, bytes",
    "watched_from": "Waited for from; empty: nobody waits",
}
CHOICES: dict[str, tuple[str, ...]] = {
    "kind": tuple(kind.value for kind in Kind),
    "settlement_calendar": ("", "UK", "T2", "US", "AU"),
    "mandatory": ("yes", "no"),
    "gates": ("yes", "no"),
    "sequence": ("free", "told", "refused"),
    "resend": ("newest", "refuse"),
    "partial": ("whole", "partly"),
}
_LONGEST = {
    "title": 80,
    "source": 40,
    "pattern": 80,
    "folder": 40,
    "format": 16,
    "market": 4,
    "zone": 40,
    "signature_key": 80,
}
_NEEDED = ("title", "source", "pattern", "folder", "zone")
_NUMBERS = {"lag": 10, "grace_s": 7 * 86_400, "missing_after_s": 7 * 86_400, "largest": 1 << 40}
_PLACE = re.compile(r"[a-z0-9][a-z0-9_-]*")
CODE = re.compile(r"[A-Z0-9][A-Z0-9-]{1,23}")


@dataclass(frozen=True, slots=True)
class Known:
    """What the house has: markets by MIC, zones by name."""

    markets: Collection[str]
    zones: Collection[str]


def wrong_terms(said: Mapping[str, str], known: Known) -> dict[str, str]:
    """By term, why it cannot be agreed so; empty when all can."""
    wrong = {
        name: f"One of {', '.join(filter(None, choices))}."
        for name, choices in CHOICES.items()
        if said[name] not in choices
    }
    wrong |= {name: "Say it." for name in _NEEDED if not said[name]}
    wrong |= {name: f"At most {most} characters." for name, most in _LONGEST.items() if len(said[name]) > most}
    for name, most in _NUMBERS.items():
        if not said[name].isascii() or not said[name].isdecimal() or int(said[name]) > most:
            wrong[name] = f"A whole number up to {most:,}."
    if not _PLACE.fullmatch(said["folder"]):
        wrong["folder"] = "Lower-case letters, digits, - and _."
    if said["zone"] not in known.zones:
        wrong["zone"] = "A zone by its name, as Europe/London."
    if said["market"] and said["market"] not in known.markets:
        wrong["market"] = "There is no such market."
    if bool(said["market"]) == bool(said["settlement_calendar"]):
        wrong["market"] = "Its days are those of a market or of a settlement calendar, one of the two."
    if "/" in said["signature_key"] or said["signature_key"].startswith("."):
        wrong["signature_key"] = "The name of a file, without a path."
    if not _is(time, said["due"]):
        wrong["due"] = "A time of day, as 06:30."
    if said["watched_from"] and not _is(date, said["watched_from"]):
        wrong["watched_from"] = "A day, as 2026-11-27, or nothing."
    if not wrong and int(said["missing_after_s"]) < int(said["grace_s"]):
        wrong["missing_after_s"] = "It is late before it is missing."
    return wrong


def typed_terms(said: Mapping[str, str]) -> dict[str, Any]:
    """Columns of a feed. Only of terms that nothing is wrong with."""
    return {
        **{name: said[name] for name in TERMS},
        **{name: int(said[name]) for name in _NUMBERS},
        **{name: said[name] == "yes" for name in ("mandatory", "gates")},
        "market": said["market"] or None,
        "due": time.fromisoformat(said["due"]),
        "watched_from": date.fromisoformat(said["watched_from"]) if said["watched_from"] else None,
    }


def terms_as_text(columns: Mapping[str, Any]) -> dict[str, str]:
    """The other way round: of a feed's columns by name."""
    return {name: _text(columns[name]) for name in TERMS}


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.strftime("%H:%M") if isinstance(value, time) else str(value)


def _is(kind: type[time] | type[date], text: str) -> bool:
    try:
        kind.fromisoformat(text)
    except ValueError:
        return False
    return True


def zone_is_known(name: str) -> bool:
    """Whether the machine knows the zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
