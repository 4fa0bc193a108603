"""Words and sums of the reconciliation pages: families of categories, shares, buckets of age, how long is left. Pure.

A share is rounded down: what is not all is never shown as 100 %. An age counts calendar days from when the matter itself
happened (from when it was found where nobody knows).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_FLOOR, Decimal


@dataclass(frozen=True, slots=True)
class Family:
    """Categories that people look at together: one tile. ``empty`` says what it means that there are none."""

    name: str
    title: str
    categories: tuple[str, ...]
    empty: str


FAMILIES: tuple[Family, ...] = (
    Family("missing_internal", "Missing with us", ("missing_internal",), "We have every record of theirs."),
    Family("missing_external", "Missing with them", ("missing_external",), "They have every record of ours."),
    Family("status", "Status mismatch", ("status",), "States agree."),
    Family(
        "fill",
        "Figures differ",
        ("quantity", "price", "fee", "duplicate_suspect"),
        "Quantities, prices and fees agree, and nothing looks like a duplicate.",
    ),
    Family("timing", "Timing", ("timing",), "Nothing differs in time alone."),
)
BY_NAME = {family.name: family for family in FAMILIES}
FAMILY_OF = {category: family for family in FAMILIES for category in family.categories}
BUCKETS: tuple[tuple[str, int | None], ...] = (
    ("today", 1),
    ("1 to 3 days", 3),
    ("3 to 7 days", 7),
    ("7 to 30 days", 30),
    ("older", None),
)
"""Title of a bucket and the days below which an age falls into it."""


def share_matched(matched: int, internal: int, external: int) -> Decimal | None:
    """What was matched of the longer side, in percent with two decimals, rounded down; None where nothing was compared."""
    whole = max(internal, external)
    if not whole:
        return None
    return (Decimal(100) * matched / whole).quantize(Decimal("0.01"), rounding=ROUND_FLOOR)


def seconds_left(*, done: int, total: int, running_for: timedelta) -> int | None:
    """How long the rest takes at the pace so far; None while there is no pace yet."""
    if done <= 0 or total <= done or running_for <= timedelta(0):
        return None
    return int(running_for.total_seconds() * (total - done) / done)


def bucket_of(age: timedelta) -> str:
    """The title of the bucket an age falls into."""
    return next(title for title, days in BUCKETS if days is None or age < timedelta(days=days))


def bucket_starts(at: datetime) -> list[tuple[str, datetime | None]]:
    """Title of each bucket with the moment after which what happened falls into it; None: whenever."""
    return [(title, None if days is None else at - timedelta(days=days)) for title, days in BUCKETS]
