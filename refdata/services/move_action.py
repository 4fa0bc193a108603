"""Move a corporate action along its table, with the event that says so. For the rooms above that carry it out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authorisation.domain.principal import Principal
from kernel.errors import Conflict
from refdata.domain.action_transitions import BY_NAME
from refdata.models import CorporateAction
from refdata.services._actions import record_action

_DO = {
    "check": CorporateAction.check_effect,
    "send_back": CorporateAction.send_back,
    "approve": CorporateAction.approve,
    "begin": CorporateAction.begin,
    "reach_ex": CorporateAction.reach_ex,
    "pay": CorporateAction.pay,
    "complete": CorporateAction.complete,
    "take_back": CorporateAction.take_back,
    "undo": CorporateAction.undo,
    "cancel": CorporateAction.cancel,
}
_EVENTS = {
    "check": "CorporateActionChecked",
    "send_back": "CorporateActionSentBack",
    "approve": "CorporateActionApproved",
    "begin": "CorporateActionBegun",
    "reach_ex": "CorporateActionExApplied",
    "pay": "CorporateActionPaymentConfirmed",
    "complete": "CorporateActionApplied",
    "take_back": "CorporateActionTakenBack",
    "undo": "CorporateActionUndone",
    "cancel": "CorporateActionCanceled",
}
_BEGINS, _ENDS = frozenset({"begin", "take_back"}), frozenset({"complete", "undo", "cancel"})


def move_action(
    *, action: CorporateAction, move: str, actor: Principal, at: datetime, payload: Mapping[str, Any] | None = None
) -> None:
    """Inside the caller's transaction, the action locked. Raises Conflict ACTION_STATE where the table has no such move."""
    require_move(action, move)
    _DO[move](action)
    action.updated_at = at
    if move in _BEGINS:
        action.begun_at = at
    if move in _ENDS:
        action.ended_at = at
    action.save()
    record_action(action, _EVENTS[move], actor=actor, at=at, payload=payload or {})


def require_move(action: CorporateAction, name: str) -> None:
    """Raise Conflict ACTION_STATE unless the table allows the move from the action's state."""
    if action.state not in BY_NAME[name].sources:
        words = " or ".join(BY_NAME[name].sources).replace("_", " ")
        raise Conflict(
            "ACTION_STATE", f"{action} is {str(action.state).replace('_', ' ')}; it must be {words} for that."
        )
