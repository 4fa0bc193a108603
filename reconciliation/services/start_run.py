"""Hand a run that was asked for to a worker now. With the broker down the next beat picks it up; nothing is lost."""

from __future__ import annotations

import logging
from uuid import UUID

from kombu.exceptions import OperationalError

from reconciliation.tasks import work_run

logger = logging.getLogger(__name__)


def start_run(*, run_id: UUID) -> None:
    """Ask Celery to do the run now."""
    try:
        work_run.apply_async([str(run_id)], retry=False)
    except OperationalError as error:
        logger.warning("run %s waits for the next beat: %s", run_id, error)
