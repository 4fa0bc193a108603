"""Who may open accounts, move money by hand, and record what lenders promised."""

from __future__ import annotations

from authorisation.domain.principal import ADMINISTER_ACCOUNTS, Principal
from refdata.permissions import ASK_STATIC_DATA


def require_administrator(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor administers accounts; our own processes do."""
    if not actor.is_process:
        actor.require(ADMINISTER_ACCOUNTS, "Opening accounts and moving money needs the right to administer accounts.")


def require_locate_keeper(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor keeps data from outside: who sells short does not vouch for it."""
    if not actor.is_process:
        actor.require(ASK_STATIC_DATA, "Locates are recorded by operations.")


def require_withdrawal_asker(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor may ask for what a second person of operations or compliance decides."""
    actor.require(ASK_STATIC_DATA, "Withdrawals are asked for by operations.")
