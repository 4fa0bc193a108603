"""Who may search what happened, and who may do what about an exception.

Searching and taking evidence is a right of its own, because it opens every stream of what one may see. What it does not open:
rows of desks and account groups that were not granted, and what is for compliance alone.

Working on an exception, closing it, and ending it though its matter stands are three rights. Whom an item is not shown has
none of them for it.
"""

from __future__ import annotations

from authorisation.domain.principal import Principal

SEARCH_AUDIT = "search_audit"
WORK_EXCEPTION = "work_exception"
CLOSE_EXCEPTION = "close_exception"
FORCE_CLOSE_EXCEPTION = "force_close_exception"


def require_audit(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the role searches the audit; our own processes do."""
    if not actor.is_process:
        actor.require(SEARCH_AUDIT, "Your role may not search the audit or take evidence.")


def require_work(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the role works on exceptions."""
    actor.require(WORK_EXCEPTION, "Your role only reads exceptions.")


def require_closing(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the role closes exceptions."""
    actor.require(CLOSE_EXCEPTION, "Your role may not close exceptions.")


def require_forcing(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the role may end a matter that stands."""
    actor.require(FORCE_CLOSE_EXCEPTION, "Your role may not end an exception whose matter still stands.")
