"""A second person's word on a corporate action: apply it when its ex date comes, or take back what was applied.

Applying is left to the sweeper. Taking back gives reference data back at once, under the block; accounts follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.services.decide_request import Applied, Asking, Subject
from kernel.errors import Conflict
from orders.selectors.actions import today_of
from orders.services._actions import block
from orders.services.ask_corporate_action import APPLY, KIND
from refdata.domain.action_transitions import CHECKED
from refdata.locks import lock_action
from refdata.models import CorporateAction
from refdata.services.move_action import move_action
from refdata.services.rename_listing import rename_listing
from refdata.services.rescale_listings import restore_listings


def _load(asking: Asking) -> CorporateAction:
    return lock_action(UUID(asking.facts.subject_id))


def _apply(asking: Asking, action: CorporateAction) -> Applied:
    _carry_out(action, asking.payload, asking.actor, asking.at)
    applies = asking.payload["decision"] == APPLY
    return Applied(f"{action} is applied on {action.ex_date}." if applies else f"{action} is being taken back.")


def _decline(asking: Asking, action: CorporateAction) -> str:
    if asking.payload["decision"] == APPLY and action.state == CHECKED and action.authorisation_id == asking.facts.id:
        payload = {"why": "declined", "reason_code": asking.reason_code, "reason": asking.reason}
        move_action(action=action, move="send_back", actor=asking.actor, at=asking.at, payload=payload)
    return f"{action} was declined; nothing changes."


def _carry_out(action: CorporateAction, asked: Mapping[str, Any], actor: Principal, at: datetime) -> None:
    if action.version != asked["version"]:
        raise Conflict(
            "ACTION_CORRECTED", f"{action} was corrected since it was asked: look at version {action.version}."
        )
    if asked["decision"] == APPLY:
        move_action(action=action, move="approve", actor=actor, at=at)
        return
    move_action(action=action, move="take_back", actor=actor, at=at, payload={"reason": asked["reason"]})
    block(action, at=at)
    reason = f"corporate action {action} is undone"
    if "listings" in action.changes:
        restore_listings(
            actor=actor, at=at, instrument_id=action.instrument_id, changes=action.changes["listings"], reason=reason
        )
    elif action.changes:
        names = {name: action.changes[name] for name in ("symbol", "venue_symbol", "isin")}
        rename_listing(actor=actor, at=at, action=action, day=today_of(action, at), **names)


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_corporate_action = _SUBJECT.decide
"""Approve or decline. An approval is carried out on the version that was looked at.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
