"""Who may see sessions, who may switch them and who may open the gate of a recovery. Rights of roles, never a persona.

Never a desk's dealer for the last two: who wants to trade does not say that it is safe to (``authorisation.domain.toxic``).
"""

from __future__ import annotations

from authorisation.domain.four_eyes import visible_desks
from authorisation.domain.principal import VIEW_DESK, Principal
from kernel.errors import NotPermitted

SWITCH_SESSION = "switch_session"
OPEN_GATE = "open_recovery_gate"
WORK_POST_TRADE = "work_post_trade"  # a right of allocations, beside this room: known by its name alone


def may_switch_session(actor: Principal) -> bool:
    """For showing a control; the service asks for itself."""
    return SWITCH_SESSION in actor.rights


def may_open_gate(actor: Principal) -> bool:
    """For showing a control; the service asks for itself."""
    return OPEN_GATE in actor.rights


def require_view_sessions(actor: Principal) -> None:
    """People who see a desk see the sessions its orders go through; a service account does not."""
    if actor.is_service or not visible_desks(actor):
        raise NotPermitted("RIGHT_MISSING", "You may not see venue sessions.", {"right": VIEW_DESK})


def require_switch_session(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor may stop and allow new orders on a session."""
    actor.require(SWITCH_SESSION, "You may not switch a venue session.")


def require_open_gate(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor may open the gate of a recovery."""
    actor.require(OPEN_GATE, "You may not open the gate of a recovery.")
