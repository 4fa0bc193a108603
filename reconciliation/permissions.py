"""Who works on differences and who decides about them: two rights of roles, never a dealer's (``authorisation.domain.toxic``).

Seeing is by rows: a break exists for whoever sees its account's group and, where it is about an order, the order's desk.
"""

from __future__ import annotations

from authorisation.domain.principal import DECIDE_BREAK as DECIDE_BREAK
from authorisation.domain.principal import Principal

WORK_BREAK = "work_break"


def require_work(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor may take files in, start runs and propose repairs; our processes do."""
    if not actor.is_process:
        actor.require(WORK_BREAK, "Your role may not work on reconciliation.")


def require_decide(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor may decide about repairs, acceptances and tolerances, and sign runs off."""
    actor.require(DECIDE_BREAK, "Your role may not decide about reconciliation.")
