"""Who may administer people, keys and grants."""

from __future__ import annotations

from authorisation.domain.principal import ADMINISTER_USERS, Principal


def require_administrator(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor administers users; our own processes do."""
    if not actor.is_process:
        actor.require(ADMINISTER_USERS, "Keys and grants need the right to administer users.")
