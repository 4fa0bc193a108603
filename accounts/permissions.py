"""Who may open accounts, move money by hand, and record what lenders promised."""

from __future__ import annotations

from authorisation.domain.principal import ADMINISTER_ACCOUNTS, Principal
from kernel.errors import NotPermitted
from refdata.permissions import ASK_STATIC_DATA


def require_administrator(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor administers accounts; our own processes do."""
    if not actor.is_process:
        actor.require(ADMINISTER_ACCOUNTS, "Opening accounts and moving money needs the right to administer accounts.")


def require_booking_process(actor: Principal) -> None:
    """Raise NotPermitted SECOND_PERSON_NEEDED for people: money moves by hand by a request that another person decides."""
    if not actor.is_process:
        raise NotPermitted(
            "SECOND_PERSON_NEEDED", "Ask for a booking: a second person decides about money moved by hand."
        )


def require_state_asker(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor keeps accounts or data from outside."""
    if ADMINISTER_ACCOUNTS not in actor.rights:
        actor.require(ASK_STATIC_DATA, "Changes of accounts are asked for by operations or who administers accounts.")


def require_locate_keeper(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor keeps data from outside: who sells short does not vouch for it."""
    if not actor.is_process:
        actor.require(ASK_STATIC_DATA, "Locates are recorded by operations.")


def require_withdrawal_asker(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor may ask for what a second person of operations or compliance decides."""
    actor.require(ASK_STATIC_DATA, "Withdrawals are asked for by operations.")
