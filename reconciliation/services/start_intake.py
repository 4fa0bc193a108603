"""Hand an intake that was begun to a worker now. With the broker down the next beat picks it up; nothing is lost."""

from __future__ import annotations

import logging
from uuid import UUID

from kombu.exceptions import OperationalError

from reconciliation.tasks import take_file_in

logger = logging.getLogger(__name__)


def start_intake(*, intake_id: UUID) -> None:
    """Ask Celery to do it now."""
    try:
        take_file_in.apply_async([str(intake_id)], retry=False)
    except OperationalError as error:
        logger.warning("intake %s waits for the next beat: %s", intake_id, error)
