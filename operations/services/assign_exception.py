"""Give an exception to a person, or to a group whose members then take it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import Invalid
from operations.domain.exception_kinds import COMPLIANCE, GROUPS
from operations.services._exception_acts import Acted, acting, give, person_who_may, told
from operations.services._exception_events import ASSIGNED
from risk.domain.conduct import FOR_COMPLIANCE_ALONE


def assign_exception(
    *,
    actor: Principal,
    at: datetime,
    item_id: UUID,
    version: int | None,
    owner: str = "",
    group: str = "",
    reason: str = "",
) -> Acted:
    """``owner`` is a username, ``group`` one of the groups; exactly one of them. It then waits there unreviewed.

    Raises as ``acting``, Invalid ASSIGNMENT_INVALID (neither or both, or a group that may not see it), OWNER_UNSUITABLE.
    """
    owner, group = owner.strip(), group.strip()
    with acting(actor=actor, at=at, item_id=item_id, version=version) as item:
        if bool(owner) == bool(group) or (group and group not in GROUPS):
            sentence = "Name a person or one of the groups."
            raise Invalid("ASSIGNMENT_INVALID", sentence, {"owner": [sentence]})
        if group and group != COMPLIANCE and item.kind in FOR_COMPLIANCE_ALONE:
            sentence = "This is for compliance alone."
            raise Invalid("ASSIGNMENT_INVALID", sentence, {"group": [sentence]})
        had = item.owner.username if item.owner else ""
        person = person_who_may(item, owner) if owner else None
        item.snoozed_until, item.waits_for = None, ""
        give(item, person, group or item.owner_group)
        item.hand_over()
        payload = {
            "owner_id": person.pk if person else None,
            "owner": person.username if person else "",
            "group": item.owner_group,
            "from": had,
            "reason": reason.strip()[:500],
        }
        to = person.username if person else GROUPS[group]
        return told(item, ASSIGNED, payload, actor=actor, at=at, sentence=f"Handed to {to}.")
