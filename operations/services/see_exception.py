"""Note that somebody opened an exception, until two people have: an alarm only its causer saw is no alarm yet."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from operations.locks import lock_exception
from operations.models import ExceptionItem
from operations.services._exception_events import SEEN, record


def see_exception(*, actor: Principal, at: datetime, item: ExceptionItem) -> bool:
    """Whether this was news. The caller made sure that the actor may see the item; programs do not count as people."""
    if actor.is_service or actor.is_process or not _is_news(item, actor):
        return False
    with transaction.atomic():
        row = lock_exception(UUID(str(item.pk)))
        if row is None or not _is_news(row, actor):
            return False
        if row.seen_by_id is None:
            row.seen_by_id, row.seen_at, which = actor.user_id, at, 1
        else:
            row.seen_again_by_id, row.seen_again_at, which = actor.user_id, at, 2
        row.save(update_fields=["seen_by", "seen_at", "seen_again_by", "seen_again_at"])
        record(row, SEEN, {"person": which}, actor=actor.actor, at=at, on_behalf_of=actor.on_behalf_of)
    item.seen_by_id, item.seen_at = row.seen_by_id, row.seen_at
    item.seen_again_by_id, item.seen_again_at = row.seen_again_by_id, row.seen_again_at
    return True


def _is_news(item: ExceptionItem, actor: Principal) -> bool:
    return item.is_open and item.seen_again_by_id is None and item.seen_by_id != actor.user_id
