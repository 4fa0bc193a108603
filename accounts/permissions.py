"""Who may open accounts and move money by hand."""

from __future__ import annotations

from authorisation.domain.principal import ADMINISTER_ACCOUNTS, Principal


def require_administrator(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor administers accounts; our own processes do."""
    if not actor.is_process:
        actor.require(ADMINISTER_ACCOUNTS, "Opening accounts and moving money needs the right to administer accounts.")
