"""Who may switch trading and impose blocks: roles that were given the right, and our own processes under their own source."""

from __future__ import annotations

from authorisation.domain.principal import Principal

SWITCH_TRADING = "switch_trading"
IMPOSE_BLOCK = "impose_block"
ENGAGE_KILL_SWITCH = "engage_kill_switch"
ASK_RISK_CHANGE = "ask_risk_change"


def require_right(actor: Principal, right: str, sentence: str) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the role has it; our own processes do."""
    if not actor.is_process:
        actor.require(right, sentence)
