"""How corporate actions change: one door for a move of state, and the events of the stream ``action:<id>``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authorisation.domain.principal import Principal
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from refdata.models import CorporateAction
from refdata.permissions import ASK_STATIC_DATA


def require_asker(actor: Principal) -> None:
    """Raise NotPermitted unless the role asks for changes of static data; our own processes do."""
    if not actor.is_process:
        actor.require(ASK_STATIC_DATA, "Your role may not enter corporate actions.")


def record_action(
    action: CorporateAction, kind: str, *, actor: Principal, at: datetime, payload: Mapping[str, Any]
) -> None:
    """Append one event about the action."""
    draft = EventDraft(
        id=new_id(),
        stream=f"action:{action.id}",
        kind=kind,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=action.id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload={"action_id": str(action.id), "state": str(action.state), "version": action.version, **payload},
    )
    append_to_stream(drafts=[draft], at=at)
