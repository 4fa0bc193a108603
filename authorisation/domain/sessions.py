"""When a session ends by itself, and what is said of the browser it belongs to. Pure.

A session of a person ends ``idle`` after its last real use and ``absolute`` after its start, whichever is sooner; what
is kept of somebody who has not finished signing in ends ``unfinished`` after it began.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

IDLE = "idle"
TOO_OLD = "too_old"
SIGNED_OUT = "signed_out"
ENDED_BY_PERSON = "ended_by_person"
ENDED_BY_ADMINISTRATOR = "ended_by_administrator"
PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a reason, no secret
SIGN_IN_RESET = "sign_in_reset"

USE_NOTED_EVERY = timedelta(seconds=60)

_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/"),
    ("Opera", r"OPR/"),
    ("Firefox", r"Firefox/|FxiOS/"),
    ("Chrome", r"Chrome/|CriOS/|HeadlessChrome/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = (
    ("Android", r"Android"),
    ("iPhone", r"iPhone|iPad"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("Linux", r"Linux"),
)


@dataclass(frozen=True, slots=True)
class Times:
    """How long sessions last."""

    idle: timedelta
    absolute: timedelta
    unfinished: timedelta


def ends_at(times: Times, *, started_at: datetime, last_used_at: datetime, signed_in: bool) -> datetime:
    """The moment from which the session is no more."""
    if not signed_in:
        return started_at + times.unfinished
    return min(last_used_at + times.idle, started_at + times.absolute)


def why_ended(times: Times, *, started_at: datetime, ended_at: datetime) -> str:
    """Of a session that ended by itself: for its age, or because nobody used it."""
    return TOO_OLD if ended_at >= started_at + times.absolute else IDLE


def device_name(user_agent: str) -> str:
    """Like "Firefox on Windows", for people to tell their sessions apart. It is what the browser says, no proof."""
    browser = next((name for name, pattern in _BROWSERS if re.search(pattern, user_agent)), "")
    system = next((name for name, pattern in _SYSTEMS if re.search(pattern, user_agent)), "")
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "Unknown browser"
