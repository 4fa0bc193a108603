"""A person takes an exception, or goes on with one that was snoozed or waits: from now on it is under their review."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.models import User
from operations.domain.exception_states import RESTING
from operations.services._exception_acts import Acted, acting, give, told
from operations.services._exception_events import ASSIGNED, RESUMED


def take_exception(*, actor: Principal, at: datetime, item_id: UUID, version: int | None) -> Acted:
    """From whoever had it: that is on record, and it can be handed back. Raises as ``acting``."""
    with acting(actor=actor, at=at, item_id=item_id, version=version) as item:
        rested = item.state in RESTING and item.owner_id == actor.user_id
        had = item.owner.username if item.owner else ""
        item.snoozed_until, item.waits_for = None, ""
        give(item, User.objects.get(pk=actor.user_id), item.owner_group)
        item.review()
        payload = {"owner_id": actor.user_id, "owner": actor.username, "group": item.owner_group, "from": had}
        kind = RESUMED if rested else ASSIGNED
        return told(item, kind, payload, actor=actor, at=at, sentence="It is yours, under review.")
