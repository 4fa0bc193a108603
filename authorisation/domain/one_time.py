"""One-time links: how long they last, and what is kept of them. Pure."""

from __future__ import annotations

import hashlib
from datetime import timedelta

LASTS = timedelta(hours=24)
SIGN_IN_RESET_KIND = "sign_in_reset"


def link_digest(token: str) -> str:
    """What is kept of a link."""
    return hashlib.sha256(token.encode()).hexdigest()
