"""What the canaries of a run came to: one event as evidence, a matter a control that slept, and the firm's block meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from authorisation.domain.principal import process_principal
from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from kernel.errors import NotFound
from risk.domain.checks import REGISTRY_VERSION
from risk.models import Block, Scope
from risk.services._events import record
from risk.services.impose_block import impose_block
from risk.services.lift_block import lift_block

ACTOR = process_principal("canary")
SOURCE = "canary"
CONTROL_SLEEPS = "CONTROL_SLEEPS"


@dataclass(frozen=True, slots=True)
class CanaryResult:
    """One canary: its control, whether on facts or as an order, whether it was caught, and what the control said."""

    code: str
    way: str
    caught: bool
    verdict: str
    sentence: str = ""
    ref: str = ""


def record_canaries(*, results: Sequence[CanaryResult], at: datetime) -> None:
    """Keep the run; impose or lift the block of the canaries by it."""
    escaped = sorted({result.code for result in results if not result.caught})
    with transaction.atomic():
        payload = {
            "registry": REGISTRY_VERSION,
            "controls": len({result.code for result in results}),
            "escaped": escaped,
            "results": [asdict(result) for result in results],
        }
        record(stream="risk:canary", kind="CanariesRan", actor=ACTOR, at=at, payload=payload)
        for code in sorted({result.code for result in results}):
            wrong = code in escaped
            anomaly = Anomaly(
                kind=CONTROL_SLEEPS,
                severity=Severity.CRITICAL if wrong else Severity.LOW,
                subject_type="control",
                subject_id=code,
                sentence=f"Control {code} let its canary pass." if wrong else f"Control {code} caught its canary.",
                dedupe_key=f"canary:{code}",
            )
            set_anomaly(anomaly=anomaly, wrong=wrong, actor=ACTOR.actor, at=at)
        _gate(escaped, at)


def _gate(escaped: Sequence[str], at: datetime) -> None:
    where: dict[str, Any] = {
        "actor": ACTOR, "at": at, "scope": Scope.FIRM.value, "scope_id": "", "source": SOURCE,
    }  # fmt: skip
    if escaped:
        impose_block(**where, reason=f"Controls let their canaries pass: {', '.join(escaped)}.")
    elif Block.objects.filter(source=SOURCE, lifted_at__isnull=True).exists():
        try:
            lift_block(**where, reason="Every control caught its canary.")
        except NotFound:
            return  # another run was faster
