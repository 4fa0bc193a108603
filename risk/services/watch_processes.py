"""Sweeper: nothing adds risk while two processes are built or set up differently, or a clock is off. By itself on again when equal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.selectors.processes import list_processes, why_clock_is_off, why_different
from journal.services.set_anomaly import set_anomaly
from kernel.errors import NotFound
from risk.models import Block, Scope
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block

ACTOR = process_principal("watch")
FINGERPRINT, CLOCK = "fingerprint", "clock"
_KINDS = {FINGERPRINT: "PROCESSES_DIFFER", CLOCK: "CLOCK_OFF"}
_WELL = {FINGERPRINT: "All processes are built and set up alike.", CLOCK: "All clocks agree with the database's."}


def watch_processes(*, at: datetime) -> int:
    """How many of the two gates moved."""
    processes = list_processes()
    return _gate(FINGERPRINT, why_different(processes), at) + _gate(CLOCK, why_clock_is_off(processes), at)


def _gate(source: str, why: str, at: datetime) -> int:
    stands = Block.objects.filter(source=source, lifted_at__isnull=True).exists()
    if stands == bool(why):
        return 0
    where: dict[str, Any] = {
        "actor": ACTOR, "at": at, "scope": Scope.FIRM.value, "scope_id": "", "source": source,
    }  # fmt: skip
    with transaction.atomic():
        anomaly = Anomaly(
            kind=_KINDS[source],
            severity=Severity.HIGH if why else Severity.LOW,
            subject_type="process",
            subject_id=source,
            sentence=why or _WELL[source],
            dedupe_key=f"processes:{source}",
        )
        set_anomaly(anomaly=anomaly, wrong=bool(why), actor=ACTOR.actor, at=at)
        if why:
            impose_block(**where, reason=why)
            return 1
        try:
            lift_block(**where, reason=_WELL[source])
        except NotFound:
            return 0  # another was faster
        return 1
