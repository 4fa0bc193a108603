"""How the house says no: one sentence, one exit code. 0 holds, 1 finding, 2 bad input, 3 cannot run."""

from __future__ import annotations

import shutil
from pathlib import Path

HOLDS = 0
FINDING = 1
BAD_INPUT = 2
CANNOT_RUN = 3


class CannotRun(Exception):
    """Something the house needs is not there. The text is one sentence that ends with the way out."""


class BadInput(Exception):
    """What was asked for makes no sense. The text is one sentence."""


FULL_WORDS = ("no space left", "check free disk space", "disk full", "diskfull", "quota exceeded")
FULL_BELOW = 8 * 1024 * 1024
NEEDED_MB = 300


def disk_is_full(place: Path, text: str = "") -> bool:
    """True when ``text`` complains of a full disk, or there is next to nothing left at ``place``."""
    if any(word in text.lower() for word in FULL_WORDS):
        return True
    return place.exists() and shutil.disk_usage(place).free < FULL_BELOW


def cannot(otherwise: str, *, place: Path, text: str = "") -> CannotRun:
    """The failure to raise: a full disk whenever that is the cause, else the sentence ``otherwise``."""
    if disk_is_full(place, text):
        return CannotRun(f"The disk is full; free {NEEDED_MB} MB at {place} and start again.")
    return CannotRun(otherwise)


def check_disk(place: Path) -> None:
    """Refuse to start what would fill the disk at ``place``."""
    free = shutil.disk_usage(place).free // (1024 * 1024)
    if free < NEEDED_MB:
        raise CannotRun(f"The disk is nearly full ({free} MB left); free {NEEDED_MB} MB at {place} and start again.")
