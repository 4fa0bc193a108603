"""Somebody outside the house has to answer: say who, so that everybody sees what an exception waits for."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from authorisation.domain.principal import Principal
from operations.services._exception_acts import Acted, acting, own, rank, told, wanted_text
from operations.services._exception_events import WAITS


def await_outside(*, actor: Principal, at: datetime, item_id: UUID, version: int | None, whom: str) -> Acted:
    """Its clock goes on: that others are slow is known, not excused. Raises as ``acting``, TEXT_MISSING, EXCEPTION_OWNED."""
    whom = wanted_text(whom, least=2, name="whom", sentence="Say whose answer is awaited.")[:200]
    with acting(actor=actor, at=at, item_id=item_id, version=version) as item:
        own(item, actor)
        item.wait()
        item.waits_for, item.snoozed_until = whom, None
        rank(item)
        payload = {"whom": whom, "owner_id": item.owner_id}
        return told(item, WAITS, payload, actor=actor, at=at, sentence=f"Waits for {whom}.")
