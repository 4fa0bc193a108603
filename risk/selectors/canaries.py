"""What the last canaries came to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from journal.models import Event


@dataclass(frozen=True, slots=True)
class LastCanaries:
    """The last run: when, how many controls, which of them slept, and each result as it was told."""

    at: datetime
    controls: int
    escaped: tuple[str, ...]
    results: tuple[dict[str, Any], ...]

    @property
    def clean(self) -> bool:
        return not self.escaped


def last_canary_run() -> LastCanaries | None:
    """The latest, or None before the first."""
    event = Event.objects.filter(stream="risk:canary").order_by("-seq").first()
    if event is None:
        return None
    told = event.payload
    return LastCanaries(event.event_at, told["controls"], tuple(told["escaped"]), tuple(told["results"]))
