"""What fsck says of a test's database at its end, for tests that commit."""

from __future__ import annotations

from pathlib import Path

from journal.services.run_listener import run_listener
from kernel.clock import utc_now
from operations.fsck.prove import failing, prove
from operations.fsck.registry import CHECKS
from operations.fsck.snapshot import open_snapshot
from operations.services import on_anomaly_raised
from operations.services.watch_exceptions import watch_exceptions


def broken_invariants(*, truth: Path | None = None) -> dict[str, tuple[str, ...]]:
    """Examples by the code of each check that fails, once every anomaly has become an item. Empty when all is well."""
    kinds = ("AnomalyRaised", "AnomalyCleared")
    while run_listener(
        name="operations.exceptions", kinds=kinds, handle=on_anomaly_raised.handle, at=utc_now()
    ).handled:
        pass
    while watch_exceptions(at=utc_now()):
        pass  # the relay's sweeper, which tests do not run
    with open_snapshot(at=utc_now(), truth=truth) as snapshot:
        return {one.check.code: one.examples for one in failing(prove(snapshot, CHECKS))}
