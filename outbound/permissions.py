"""Who sees, works and administers what leaves the house. What is sent to whom needs a second person besides."""

from __future__ import annotations

from authorisation.domain.principal import ADMINISTER_USERS, DECIDE_RISK_CHANGE, DECIDE_STATIC_DATA, Principal
from kernel.errors import NotPermitted

ADMINISTERS = frozenset({ADMINISTER_USERS})
WORKS = ADMINISTERS | {DECIDE_STATIC_DATA}
SEES = WORKS | {DECIDE_RISK_CHANGE}


def may(actor: Principal, rights: frozenset[str]) -> bool:
    """Whether the actor holds one of the rights; our own processes may everything here."""
    return actor.is_process or not actor.rights.isdisjoint(rights)


def require_administrator(actor: Principal) -> None:
    """Asking for a subscription, its secrets, its end: whoever administers users and keys."""
    _require(actor, ADMINISTERS, "Subscriptions and their secrets need the right to administer users.")


def require_operator(actor: Principal) -> None:
    """Pausing, resuming, telling again: administrators, and operations, who own what does not arrive."""
    _require(actor, WORKS, "Your role does not work the deliveries to other systems.")


def require_viewer(actor: Principal) -> None:
    """Looking: those, and whoever decides about subscriptions."""
    _require(actor, SEES, "Your role has no use for the deliveries to other systems.")


def _require(actor: Principal, rights: frozenset[str], sentence: str) -> None:
    if not may(actor, rights):
        raise NotPermitted("RIGHT_MISSING", sentence, {"right": ", ".join(sorted(rights))})
