"""What we can prove of why a record is missing: sessions that were down, messages set aside, moments too near to judge. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

SHOWN = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Outage:
    """A session was not logged on from then to then (None: it still is not)."""

    session: str
    since: datetime
    until: datetime | None

    def covers(self, at: datetime) -> bool:
        """Whether something that happened then could not reach us at once."""
        return self.since <= at and (self.until is None or at <= self.until)

    def sentence(self) -> str:
        """For a person."""
        until = f"until {moment(self.until)}" if self.until else "and still is"
        return f"session {self.session} was down from {moment(self.since)} {until}"


@dataclass(frozen=True, slots=True)
class Causes:
    """``set_aside``: ExecID or ClOrdID -> why a message with it could not be worked. ``looked_at``: the moment of the run."""

    outages: tuple[Outage, ...] = ()
    set_aside: Mapping[str, str] = field(default_factory=dict)
    looked_at: datetime | None = None
    cut_at: datetime | None = None

    def of_missing(self, at: datetime | None, *names: str) -> str:
        """Why we may not have it; empty when nothing proves anything."""
        for name in names:
            if name and name in self.set_aside:
                return f"a message that names {name} was set aside: {self.set_aside[name]}"
        if at is not None:
            for outage in self.outages:
                if outage.covers(at):
                    return outage.sentence()
        return ""


def moment(at: datetime | None) -> str:
    """A time as sentences have it: UTC, to the second, with its zone."""
    return f"{at.strftime(SHOWN)} UTC" if at is not None else "a time that is not told"
