"""Put an exception aside until a stated time, its deadline at the latest."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import Invalid, Refused
from operations.services._exception_acts import Acted, acting, own, rank, told
from operations.services._exception_events import SNOOZED


def snooze_exception(
    *, actor: Principal, at: datetime, item_id: UUID, version: int | None, until: datetime | None, reason: str = ""
) -> Acted:
    """``until`` None: its deadline. It goes on ageing and escalating; a worse severity wakes it.

    Raises as ``acting``, Refused EXCEPTION_OWNED, SNOOZE_PAST_DUE, Invalid SNOOZE_INVALID.
    """
    with acting(actor=actor, at=at, item_id=item_id, version=version) as item:
        own(item, actor)
        due_at = item.due_at
        if due_at is None or due_at <= at:
            raise Refused("SNOOZE_PAST_DUE", "Its deadline has passed: it cannot be put aside any more.")
        until = until or due_at
        if not at < until <= due_at:
            sentence = "Give a time from now on, its deadline at the latest."
            raise Invalid("SNOOZE_INVALID", sentence, {"until": [sentence]})
        item.snooze()
        item.snoozed_until, item.waits_for = until, ""
        rank(item)
        payload = {"until": until.isoformat(), "reason": reason.strip()[:500], "owner_id": item.owner_id}
        return told(item, SNOOZED, payload, actor=actor, at=at, sentence="Put aside.")
