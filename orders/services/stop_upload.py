"""Stops an upload: rows not worked yet stay unworked, orders already captured stay as they are."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import NotFound
from orders.models import Upload


def stop_upload(*, actor: Principal, at: datetime, upload_id: UUID) -> None:
    """Only its owner knows of an upload; anybody else gets NotFound. Stopping a finished one changes nothing."""
    mine = Upload.objects.filter(id=upload_id, owner_id=actor.user_id)
    if not mine.exists():
        raise NotFound("UPLOAD_UNKNOWN", "There is no such upload.")
    mine.filter(state__in=[Upload.State.STAGED, Upload.State.RUNNING]).update(
        state=Upload.State.STOPPED, finished_at=at
    )
