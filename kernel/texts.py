"""How ids and moments are written, each worked out once: the same few are written many times in one batch.

The caches are bounded and hold texts of immutable values, so that a text never depends on what was asked before.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache
from operator import attrgetter
from uuid import UUID

_KEPT = 16_384
_IDS_KEPT = 40_960
"""Account and allocation of every line of the largest block."""
_AS_INT = attrgetter("int")


def id_text(value: UUID) -> str:
    """``str`` of a UUID."""
    return _text_of(value.int)


def id_texts(values: Iterable[UUID]) -> list[str]:
    """:func:`id_text` of a column."""
    return list(map(_text_of, map(_AS_INT, values)))


@lru_cache(maxsize=_IDS_KEPT)
def _text_of(value: int) -> str:
    """By its number: a UUID is hashed in Python, and a number is not."""
    digits = f"{value:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@lru_cache(maxsize=_KEPT)
def utc_text(value: datetime) -> str:
    """A moment in UTC as ISO 8601 with microseconds and ``Z``. Raises ValueError for a time without zone."""
    if value.tzinfo is None:
        raise ValueError("a time without zone is no moment")
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
