"""Who may see sessions and who may switch them."""

from __future__ import annotations

from authorisation.domain.principal import Principal
from kernel.errors import NotPermitted

VIEW_SESSIONS = "view_sessions"
SWITCH_SESSION = "switch_session"
OPEN_GATE = "open_recovery_gate"

MAY_VIEW = frozenset({"dealer", "desk_head", "compliance", "operations", "auditor", "administrator"})
MAY_SWITCH = frozenset({"operations", "desk_head", "administrator"})
MAY_OPEN_GATE = frozenset({"operations", "administrator"})


def may_switch_session(actor: Principal) -> bool:
    """For showing a control; the service asks for itself."""
    return actor.persona in MAY_SWITCH


def may_open_gate(actor: Principal) -> bool:
    """For showing a control; the service asks for itself."""
    return actor.persona in MAY_OPEN_GATE


def require_view_sessions(actor: Principal) -> None:
    """Every persona of the house sees sessions; a service account does not."""
    if actor.persona not in MAY_VIEW:
        raise NotPermitted("RIGHT_MISSING", "You may not see venue sessions.", {"right": VIEW_SESSIONS})


def require_switch_session(actor: Principal) -> None:
    """Operations, a desk head or an administrator may stop and allow new orders on a session."""
    if actor.persona not in MAY_SWITCH:
        raise NotPermitted("RIGHT_MISSING", "You may not switch a venue session.", {"right": SWITCH_SESSION})


def require_open_gate(actor: Principal) -> None:
    """Operations or an administrator, never a desk: who wants to trade does not say that it is safe to."""
    if actor.persona not in MAY_OPEN_GATE:
        raise NotPermitted("RIGHT_MISSING", "You may not open the gate of a recovery.", {"right": OPEN_GATE})
