"""In what state a price is. Decides nothing about ticks: that is ``judging``; nor about age: that is a mark of risk's."""

from __future__ import annotations

from enum import StrEnum


class Quality(StrEnum):
    """Whether a price may be used. Stale is never stored: it follows from the silence of the feed."""

    GOOD = "good"
    STALE = "stale"
    SUSPECT = "suspect"
    MISSING = "missing"
