"""Forget notices that are old: they repeat what the journal keeps. A sweeper."""

from __future__ import annotations

from datetime import datetime, timedelta

from operations.models import Notice

KEPT_FOR = timedelta(days=30)
MOST = 5000


def purge_notices(*, at: datetime) -> int:
    """How many were forgotten; at most 5,000 a turn. One whose mail is still due stays until it went or failed."""
    old = Notice.objects.filter(last_at__lt=at - KEPT_FOR, mail_due_at=None).order_by("last_at", "id")
    gone, _ = Notice.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:MOST])).delete()
    return gone
