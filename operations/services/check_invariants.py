"""Carry out checks on one snapshot of the database and say what must follow: exceptions, and the gate where it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from operations.fsck.check import Check, Outcome
from operations.fsck.prove import stopping
from operations.fsck.readers import prove_together
from operations.fsck.registry import CHECKS
from operations.fsck.snapshot import open_snapshot
from operations.services.hold_trading import hold_trading
from operations.services.tell_of_findings import tell_of_findings


def check_invariants(
    *,
    at: datetime,
    checks: Sequence[Check] = CHECKS,
    truth: Path | None = None,
    gate: bool = False,
    within_s: float | None = None,
) -> tuple[Outcome, ...]:
    """Every outcome, after each failing check became an exception and each that holds again was cleared.

    With ``gate`` a failure that stops the firm blocks what adds risk; without it such a block is only lifted, by a run in
    which nothing fails that would impose it.
    ``within_s`` ends the run early: fewer outcomes than checks, and with ``gate`` a block until the rest is proven.
    """
    with open_snapshot(at=at, truth=truth) as snapshot:
        outcomes = prove_together(snapshot, checks, within_s=within_s)
    # The gate first: where the journal itself is damaged, telling may fail, and then risk must be blocked already.
    if gate or not stopping(outcomes):
        hold_trading(at=at, outcomes=outcomes, unproven=len(checks) - len(outcomes))
    tell_of_findings(at=at, outcomes=outcomes)
    return outcomes
