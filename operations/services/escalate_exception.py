"""A person escalates an exception before its time does: to the next level above where it stands."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import Refused
from operations.domain.exception_rank import HEAD, LEVELS
from operations.services._exception_acts import Acted, acting, rank, told, wanted_text
from operations.services._exception_events import ESCALATED


def escalate_exception(*, actor: Principal, at: datetime, item_id: UUID, version: int | None, reason: str) -> Acted:
    """The group, then the head. Raises as ``acting``, Invalid TEXT_MISSING, Refused ESCALATED_ALREADY."""
    reason = wanted_text(reason, least=3, name="reason", sentence="Say why it is escalated.")
    with acting(actor=actor, at=at, item_id=item_id, version=version) as item:
        if item.level >= HEAD:
            raise Refused("ESCALATED_ALREADY", "The head has it already: there is nobody above.")
        item.level = max(item.level + 1, 2)
        rank(item)
        payload = {"to": LEVELS[item.level], "reason": reason}
        return told(item, ESCALATED, payload, actor=actor, at=at, sentence=f"Escalated to {LEVELS[item.level]}.")
