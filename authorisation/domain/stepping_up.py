"""Whether an actor may decide without confirming first who it is. Pure; the services that decide ask."""

from __future__ import annotations

from authorisation.domain.principal import Principal
from kernel.errors import NotPermitted

ALWAYS = "always"
STEP_UP_NEEDED = "STEP_UP_NEEDED"


def require_confirmed(actor: Principal, *, must: bool | None = None) -> None:
    """Raise NotPermitted when the actor must confirm: STEP_UP_NEEDED, or DECISION_BY_TOKEN of a token, which cannot."""
    if not (actor.must_confirm if must is None else must):
        return
    if actor.actor.startswith("key:"):
        raise NotPermitted("DECISION_BY_TOKEN", "Decisions are made on the pages: a token cannot confirm who holds it.")
    raise NotPermitted(STEP_UP_NEEDED, "Confirm first that it is you, with your second factor.")
