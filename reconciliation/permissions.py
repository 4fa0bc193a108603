"""Who works on differences and who decides about them: two rights of roles, never a dealer's (``authorisation.domain.toxic``).

Seeing is by rows: a break exists for whoever sees its account's group and, where it is about an order, the order's desk.
"""

from __future__ import annotations

from authorisation.domain.principal import Principal
from kernel.errors import NotPermitted

WORK_BREAK = "work_break"
DECIDE_BREAK = "decide_break"
OVERSEES = "search_audit"
"""The right of operations by which compliance and audit look into everything that they were granted."""


def require_work(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor may take files in, start runs and propose repairs; our processes do."""
    if not actor.is_process:
        actor.require(WORK_BREAK, "Your role may not work on reconciliation.")


def require_decide(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor may decide about repairs, acceptances and tolerances, and sign runs off."""
    actor.require(DECIDE_BREAK, "Your role may not decide about reconciliation.")


def sees_runs(actor: Principal) -> bool:
    """Whether runs and what is about no account of ours exist for the actor: who works on them, decides, or oversees."""
    return actor.is_process or bool({WORK_BREAK, DECIDE_BREAK, OVERSEES} & actor.rights)


def require_see_runs(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING for who sees no runs."""
    if not sees_runs(actor):
        raise NotPermitted("RIGHT_MISSING", "Your role does not see reconciliation runs.", {"right": WORK_BREAK})
