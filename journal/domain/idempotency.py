"""When a repeated key means the same answer and when it is a contradiction. Pure."""

from __future__ import annotations

import hashlib

from journal.domain.records import StoredAnswer
from kernel.errors import Conflict, Invalid

MAX_KEY_LENGTH = 200
KEPT_DAYS = 30


def check_key(key: str) -> str:
    """The key itself; raises Invalid IDEMPOTENCY_KEY_INVALID unless it is 1–200 printable ASCII characters."""
    if not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isascii() or not key.isprintable():
        sentence = f"The idempotency key must be 1 to {MAX_KEY_LENGTH} printable ASCII characters."
        raise Invalid("IDEMPOTENCY_KEY_INVALID", sentence, {"Idempotency-Key": [sentence]})
    return key


def require_same(stored: StoredAnswer, *, key: str, payload_hash: str) -> StoredAnswer:
    """The stored answer when the request is the same; raises Conflict IDEMPOTENCY_CONFLICT when its content differs."""
    if stored.payload_hash != payload_hash:
        raise Conflict(
            "IDEMPOTENCY_CONFLICT",
            "This idempotency key was used before with different content. Use a new key for a new request.",
            {"key": key},
        )
    return stored


def lock_number(*parts: str) -> int:
    """A signed 64-bit number for an advisory lock on the joined parts."""
    digest = hashlib.sha256("\x1f".join(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)
