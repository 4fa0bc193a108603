"""The clock of the edge. Domain code never reads it: time arrives as an argument."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The present, timezone-aware, UTC, microseconds."""
    return datetime.now(UTC)
