"""One comparison from its beginning to its end: the run is asked for, then done. What the command line and the day call."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from authorisation.domain.principal import Principal
from reconciliation.models import FeedFile
from reconciliation.services.ask_run import ask_run
from reconciliation.services.do_run import RunResult, do_run


def run_reconciliation(
    *,
    kind: str,
    file: FeedFile,
    as_of: date,
    actor: Principal,
    at: datetime,
    trigger: str,
    now: Callable[[], datetime] | None = None,
) -> RunResult:
    """The run with what it found. ``now`` tells when steps are done; ``at`` when absent.

    Raises NotPermitted, Invalid RUN_INVALID, Conflict RUN_UNDER_WAY, FileProblem; the run then says why it failed.
    """
    run_id = ask_run(kind=kind, file=file, as_of=as_of, actor=actor, at=at, trigger=trigger)
    return do_run(run_id=run_id, at=at, now=now)
