"""Codes of the second factor: which time step a code belongs to, and how recovery codes are written. Pure.

A code is good for its own step of 30 seconds and for one step before and after, because clocks differ; a step whose code
was taken is never taken again, nor any before it.
"""

from __future__ import annotations

import hashlib
import re
from datetime import datetime
from hmac import compare_digest

from pyotp import TOTP

STEP_S = 30
DRIFT_STEPS = 1
RECOVERY_CODES = 10
RECOVERY_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # 32 letters that look like no other
RECOVERY_LETTERS = 24  # 120 bits: a plain hash of it cannot be searched
_CODE = re.compile(r"[0-9]{6}")
_RECOVERY = re.compile(rf"[{RECOVERY_ALPHABET}]{{{RECOVERY_LETTERS}}}")


def step_of_code(secret: str, code: str, *, at: datetime, last_step: int) -> int | None:
    """The time step whose code this is, if it may still be taken; ``secret`` is Base32. None when wrong, late or used."""
    given = code.replace(" ", "")
    if not _CODE.fullmatch(given):
        return None
    now = int(at.timestamp()) // STEP_S
    app = TOTP(secret)
    found = None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):  # all of them, so that the time taken tells nothing
        if compare_digest(app.generate_otp(step), given) and step > last_step:
            found = step
    return found


def recovery_digest(code: str) -> str | None:
    """What is kept of a recovery code, however it was typed; None when it can be none."""
    given = re.sub(r"[\s-]", "", code).upper()
    if not _RECOVERY.fullmatch(given):
        return None
    return hashlib.sha256(given.encode()).hexdigest()


def spelled(letters: str) -> str:
    """A recovery code in groups of four."""
    return "-".join(letters[start : start + 4] for start in range(0, len(letters), 4))
