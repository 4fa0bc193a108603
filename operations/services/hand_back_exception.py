"""Give an exception back to whose it was before, with the reason."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.models import User
from kernel.errors import Refused
from operations.services._exception_acts import Acted, acting, give, person_who_may, told, wanted_text
from operations.services._exception_events import ASSIGNED


def hand_back_exception(*, actor: Principal, at: datetime, item_id: UUID, version: int | None, reason: str) -> Acted:
    """The owner before, where that person may still work on it, else the group before.

    Raises as ``acting``, Invalid TEXT_MISSING, Refused NOBODY_BEFORE.
    """
    reason = wanted_text(reason, least=3, name="reason", sentence="Say why you hand it back.")
    with acting(actor=actor, at=at, item_id=item_id, version=version) as item:
        if item.owner_id != actor.user_id:
            raise Refused("NOBODY_BEFORE", "You do not have it, so there is nobody to hand it back to.")
        before = [had for had in item.before if had["owner"] != actor.user_id]
        if not before:
            raise Refused("NOBODY_BEFORE", "Nobody had it before you. Assign it to somebody instead.")
        had = before[-1]
        name = User.objects.filter(pk=had["owner"] or 0).values_list("username", flat=True).first()
        person = person_who_may(item, name) if name else None
        item.snoozed_until, item.waits_for = None, ""
        give(item, person, str(had["group"]))
        item.before = before[:-1]
        item.hand_over()
        payload = {
            "owner_id": person.pk if person else None,
            "owner": person.username if person else "",
            "group": item.owner_group,
            "from": actor.username,
            "reason": reason,
            "back": True,
        }
        to = person.username if person else item.owner_group
        return told(item, ASSIGNED, payload, actor=actor, at=at, sentence=f"Handed back to {to}.")
