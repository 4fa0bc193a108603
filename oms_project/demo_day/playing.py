"""Play incidents one after another, each on a stage of its own, and say what the answer key saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from django.db import connections

from kernel.errors import OmsError, Unavailable
from oms_project.demo_day.file_incidents import bad_file, broker_break, ghost_order
from oms_project.demo_day.incidents import AT_THE_VENUE, Incident
from oms_project.demo_day.stage import Missing, Stage
from risk.selectors import trading_is_on
from venues.models import FixSession

INCIDENTS: tuple[Incident, ...] = (
    *AT_THE_VENUE,
    Incident("bad-file", "A file of the start of day is cut", "R-18", bad_file),
    Incident("broker-break", "The broker's trades are not ours", "R-12", broker_break),
    Incident("ghost-order", "The venue works what we do not know", "R-12", ghost_order),
)


@dataclass(frozen=True, slots=True)
class Told:
    """How one incident ended: ``says`` is what was seen, or what was missing."""

    name: str
    title: str
    runbook: str
    holds: bool
    says: str

    @property
    def line(self) -> str:
        """For the terminal."""
        return f"{'holds ' if self.holds else 'FAILS '} {self.name:<20}{self.runbook}  {self.says}"

    def to_json(self) -> dict[str, str | bool]:
        """For ``--json``."""
        return {"name": self.name, "title": self.title, "runbook": self.runbook, "holds": self.holds, "says": self.says}


def choose(names: Sequence[str]) -> list[Incident] | None:
    """The incidents of these names in their order, all when none is named; None when one is unknown."""
    known = {one.name: one for one in INCIDENTS}
    if not set(names) <= known.keys():
        return None
    return [known[name] for name in names] if names else list(INCIDENTS)


def require_running() -> None:
    """Raise Unavailable unless a session is logged on and trading is on: an incident needs a venue."""
    if not FixSession.objects.filter(state=FixSession.State.LOGGED_ON, enabled=True).exists():
        raise Unavailable("HOUSE_NOT_RUNNING", "No venue session is logged on: start the house with ./oms up first.")
    if not trading_is_on():
        raise Unavailable("TRADING_OFF", "Trading is off.")


def play(incident: Incident, *, seed: int | None = None, patience_s: float = 30.0) -> Told:
    """Play one. What the house itself refuses is a failed key, with its sentence."""
    # Each with dice of its own: two incidents with the same order would meet the check for duplicates, not the venue.
    dice = Random(None if seed is None else f"{seed} {incident.name}")  # noqa: S311 - quantities, no secret
    stage = Stage(dice, patience_s)
    try:
        says, holds = incident.play(stage), True
    except (Missing, OmsError) as missing:
        says, holds = f"not seen: {missing}", False
    finally:
        stage.close()
        connections.close_all()
    return Told(incident.name, incident.title, incident.runbook, holds, says)
