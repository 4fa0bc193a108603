"""Hands a staged upload to a worker. With the broker down the sweep picks it up; nothing is lost."""

from __future__ import annotations

import logging
from uuid import UUID

from kombu.exceptions import OperationalError

from orders.tasks import work_upload

logger = logging.getLogger(__name__)


def start_upload(*, upload_id: UUID) -> None:
    """Ask Celery to work the upload now."""
    try:
        work_upload.apply_async([str(upload_id)], retry=False)
    except OperationalError as error:
        logger.warning("upload %s waits for the sweep: %s", upload_id, error)
