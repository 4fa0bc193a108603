"""A person has seen their notices: all of them up to the moment their page was drawn."""

from __future__ import annotations

from datetime import datetime

from authorisation.domain.principal import Principal
from operations.models import Notice


def see_notices(*, actor: Principal, at: datetime, drawn_at: datetime) -> int:
    """How many were new. What came after the drawing stays unseen: nobody has seen it."""
    rows = Notice.objects.filter(user_id=actor.user_id, seen_at=None, last_at__lte=min(drawn_at, at))
    return rows.update(seen_at=at)
