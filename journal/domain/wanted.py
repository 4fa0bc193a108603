"""Which events somebody looks for. Plain and pure; ``journal.selectors.searching`` finds them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events. Empty collections do not narrow. ``before`` is a position: the page ends below it. ``streams`` are whole
    names. ``outside`` narrows to people at work outside their hours: weekends, and times not in ``[begin, end)``, in a zone."""

    since: datetime | None = None
    until: datetime | None = None
    actors: Collection[str] = ()
    families: Collection[str] = ()
    kinds: Collection[str] = ()
    streams: Collection[str] = ()
    verdict: str = ""
    outside: tuple[str, str, str] | None = None  # begin, end, IANA zone
    before: int | None = None

    @property
    def only_people(self) -> bool:
        return bool(self.actors) and not any(actor.startswith("process:") for actor in self.actors)
