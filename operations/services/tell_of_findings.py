"""Make every check that fails somebody's exception, once, and clear it when it holds again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from journal.domain.records import Anomaly, Severity
from journal.services.set_anomaly import set_anomaly
from operations.fsck.check import Outcome

FSCK_FAILED = "FSCK_FAILED"
ACTOR = "process:fsck"


def tell_of_findings(*, at: datetime, outcomes: Sequence[Outcome]) -> int:
    """One matter for each check that was carried out. Returns how many were raised or cleared."""
    with transaction.atomic():
        return sum(
            set_anomaly(anomaly=_anomaly(outcome), wrong=not outcome.holds, actor=ACTOR, at=at) for outcome in outcomes
        )


def _anomaly(outcome: Outcome) -> Anomaly:
    check = outcome.check
    if outcome.holds:
        sentence = f"{check.code} holds again: {check.sentence}"
    else:
        sentence = f"{check.code} fails, {outcome.found} found. Must hold: {check.sentence} {check.remedy}"
    return Anomaly(
        kind=FSCK_FAILED,
        severity=Severity.LOW if outcome.holds else Severity.CRITICAL,
        subject_type="invariant",
        subject_id=check.code,
        sentence=sentence,
        dedupe_key=f"fsck:{check.code}",
        evidence={"invariant": check.invariant, "found": outcome.found, "examples": list(outcome.examples)},
    )
