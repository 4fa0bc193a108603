"""An anomaly that suggests that books differ starts the comparison of what it concerns, once: not again within ``QUIET`` a place.

What nobody compared yet, days with open breaks, and the newest word of every source concerned, though it agreed before. Where
nothing is kept of anybody concerned there is nothing to compare: the anomaly itself is somebody's matter already.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import process_principal
from journal.domain.records import EventRecord
from reconciliation.domain.suspicions import QUIET, Of, Suspicion, suspicion_of
from reconciliation.models import Run
from reconciliation.selectors.places import sources_of_order, sources_of_session
from reconciliation.services.start_due_runs import start_due_runs

ACTOR = process_principal("reconciliation")


def handle(events: Sequence[EventRecord]) -> None:
    """Ask once for each thing concerned, however many anomalies name it."""
    concerned: dict[Suspicion, datetime] = {}
    for event in events:
        suspicion = suspicion_of(event.payload)
        if suspicion is not None:
            concerned[suspicion] = event.recorded_at
    for suspicion, at in concerned.items():
        sources = _sources(suspicion)
        if sources is None or sources:
            start_due_runs(
                actor=ACTOR, at=at, trigger=Run.Trigger.ANOMALY, again=True, newest=True, quiet=QUIET,
                sources=sources or (),
            )  # fmt: skip


def _sources(suspicion: Suspicion) -> Collection[str] | None:
    """Whose files; None: everybody's."""
    if suspicion.of is Of.HOUSE:
        return None
    if suspicion.of is Of.SESSION:
        return sources_of_session(suspicion.name)
    try:
        return sources_of_order(UUID(suspicion.name))
    except ValueError:  # a name of a venue's: it is no order of ours
        return ()
