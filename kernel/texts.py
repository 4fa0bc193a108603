"""How ids and moments are written, each worked out once: the same few are written many times in one batch.

The caches are bounded and hold texts of immutable values, so that a text never depends on what was asked before.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from uuid import UUID

_KEPT = 16_384
_IDS_KEPT = 40_960
"""Account and allocation of every line of the largest block."""


@lru_cache(maxsize=_IDS_KEPT)
def id_text(value: UUID) -> str:
    """``str`` of a UUID."""
    return str(value)


@lru_cache(maxsize=_KEPT)
def utc_text(value: datetime) -> str:
    """A moment in UTC as ISO 8601 with microseconds and ``Z``. Raises ValueError for a time without zone."""
    if value.tzinfo is None:
        raise ValueError("a time without zone is no moment")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
