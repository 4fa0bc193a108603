"""When markets open next, or until when they are open: what the start of day must be ready for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from refdata.models import Market
from refdata.selectors import clock_of


@dataclass(frozen=True, slots=True)
class Opening:
    """A market's session of now or the next: ``moment`` is its close while it is open, else its opening; ``left_s`` until then."""

    mic: str
    is_open: bool
    moment: datetime
    left_s: float


def list_openings(*, at: datetime) -> list[Opening]:
    """Soonest first. Markets that never close, and those whose calendar has no session ahead, are left out. One statement."""
    found = []
    for mic, version, always_open in Market.objects.order_by("mic").values_list("mic", "version", "always_open"):
        sessions = () if always_open else clock_of(mic, version).calendar.sessions
        ahead = next((one for one in sessions if one.close_at > at), None)
        if ahead is not None:
            is_open = ahead.open_at <= at
            moment = ahead.close_at if is_open else ahead.open_at
            found.append(Opening(mic, is_open, moment, (moment - at).total_seconds()))
    return sorted(found, key=lambda one: (one.moment, one.mic))
