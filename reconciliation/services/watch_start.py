"""Sweeper: open each market whose comparison at the start of the house is done, and tell a person where it takes too long.

A run that failed, or that somebody canceled, opens nothing: its file is compared by another run, turns out unusable, or the
tolerance ``start_hold`` of its kind and source is set to 0 by a second person's word.
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.errors import NotFound
from reconciliation.selectors.start import Held, list_held
from risk.domain.stops import AT_START
from risk.models import Scope
from risk.services.lift_block import lift_block

ACTOR = process_principal("reconciliation")
DONE = "What was said of it before the house started is compared."


def watch_start(*, at: datetime) -> int:
    """How many markets were opened or told."""
    return sum(_open(held, at) if not held.runs else _tell(held, at) for held in list_held())


def _open(held: Held, at: datetime) -> bool:
    with transaction.atomic():
        try:
            lift_block(actor=ACTOR, at=at, scope=Scope.VENUE, scope_id=held.mic, source=AT_START, reason=DONE)
        except NotFound:
            return False  # another one was first
        set_anomaly(anomaly=_anomaly(held, DONE), wrong=False, actor=ACTOR.actor, at=at)
    return True


def _tell(held: Held, at: datetime) -> bool:
    if at - held.since <= held.patience:
        return False
    named = ", ".join(f"{run.kind} of {run.source} of {run.as_of} ({run.state})" for run in held.runs[:5])
    sentence = f"It takes nothing that adds risk since the house started: not compared yet are {named}."
    return set_anomaly(anomaly=_anomaly(held, sentence), wrong=True, actor=ACTOR.actor, at=at)


def _anomaly(held: Held, sentence: str) -> Anomaly:
    return Anomaly(
        kind="START_UNCOMPARED",
        severity=Severity.HIGH,
        subject_type="market",
        subject_id=held.mic,
        sentence=f"{held.mic}: {sentence}",
        dedupe_key=f"start-uncompared:{held.mic}",
        evidence={"runs": [str(run.id) for run in held.runs[:20]], "since": held.since.isoformat()},
    )
