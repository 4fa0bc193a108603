"""One place where what the events say and what the tables say are not the same. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from kernel.numbers import plain

ABSENT = "(nothing)"
LONGEST = 300


@dataclass(frozen=True, slots=True)
class Difference:
    """``subject`` is ``order:<id>`` or ``account:<id>``; ``field`` names the column, of a row below it with its key."""

    subject: str
    field: str
    events_say: str
    tables_say: str


def shown(value: Any) -> str:
    """A value as people compare it: decimals without trailing zeros, times in UTC, None as nothing, long ones cut."""
    if value is None:
        return ABSENT
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    text = str(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def differences(
    subject: str, told: Mapping[str, Any], stored: Mapping[str, Any], *, within: str = ""
) -> Iterator[Difference]:
    """Every column of ``told`` that ``stored`` has another value of. ``within`` names the row, as ``request 2``."""
    for name, value in told.items():
        kept = stored[name]
        if value == kept:
            continue
        yield Difference(subject, f"{within}.{name}" if within else name, shown(value), shown(kept))


def missing_rows(
    subject: str, told: Mapping[Any, Any], stored: Mapping[Any, Any], *, what: str
) -> Iterator[Difference]:
    """A row that only one of the two sides knows; ``what`` names its kind."""
    for key in told.keys() - stored.keys():
        yield Difference(subject, f"{what} {key}", "a row", ABSENT)
    for key in stored.keys() - told.keys():
        yield Difference(subject, f"{what} {key}", ABSENT, "a row")
