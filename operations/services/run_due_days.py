"""Work every begin and end of a day that is due, by the business calendar. Lost or run twice, it does no harm."""

from __future__ import annotations

import logging
from datetime import datetime

from authorisation.domain.principal import process_principal
from operations.selectors.days import due_runs
from operations.services.run_day import run_day

logger = logging.getLogger(__name__)
ACTOR = process_principal("day")


def run_due_days(*, at: datetime) -> int:
    """How many runs were worked. One that cannot go on holds up no other; a fault of ours ends the pass, at the end."""
    worked, fault = 0, None
    for kind, place, day in due_runs(at=at):
        try:
            run = run_day(kind=kind, place=place, day=day, actor=ACTOR, at=at)
        except Exception as problem:  # the others are worked first, then it is raised
            logger.exception("%s of %s at %s", kind, day, place)
            fault = problem
            continue
        worked += 1
        logger.info("%s of %s at %s: %s", kind, day, place, run.state)
    if fault is not None:
        raise fault
    return worked
