"""Who may search what happened and take evidence of it: a right of its own, because it opens every stream of what one may see.

What it does not open: rows of desks and account groups that were not granted, and what is for compliance alone.
"""

from __future__ import annotations

from authorisation.domain.principal import Principal

SEARCH_AUDIT = "search_audit"


def require_audit(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the role searches the audit; our own processes do."""
    if not actor.is_process:
        actor.require(SEARCH_AUDIT, "Your role may not search the audit or take evidence.")
