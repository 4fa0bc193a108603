"""Celery tasks of this room. Each may be lost or run twice; what they leave open a sweep starts again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from celery import shared_task

from authorisation.selectors import get_principal
from kernel.clock import utc_now
from orders.models import Upload
from orders.services.run_upload import run_upload

SLICES_A_TASK = 20
STANDS_STILL = timedelta(seconds=15)


@shared_task(name="orders.work_upload")
def work_upload(upload_id: str) -> None:
    """Work some slices of an upload with its owner's rights of now; the rest goes to a new task."""
    upload = Upload.objects.select_related("owner").get(id=UUID(upload_id))
    for _ in range(SLICES_A_TASK):
        if not run_upload(actor=get_principal(upload.owner), at=utc_now(), upload_id=upload.id):
            return
    work_upload.delay(upload_id)


@shared_task(name="orders.resume_uploads")
def resume_uploads() -> None:
    """Start open uploads that stand still: their task was lost. Two tasks on one upload only work twice."""
    still = Upload.objects.filter(
        state__in=[Upload.State.STAGED, Upload.State.RUNNING], updated_at__lt=utc_now() - STANDS_STILL
    )
    for upload_id in still.order_by("created_at", "id")[:10].values_list("id", flat=True):
        work_upload.delay(str(upload_id))
