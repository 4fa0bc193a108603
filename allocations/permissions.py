"""Who allocates, who decides about it, who works on what follows. Rights of roles (``authorisation.domain.toxic``).

Seeing is by rows: a block exists for whoever sees its desk, what came of it for whoever also sees the group of its account.
"""

from __future__ import annotations

from authorisation.domain.principal import DECIDE_ALLOCATION as DECIDE_ALLOCATION
from authorisation.domain.principal import DECIDE_POST_TRADE as DECIDE_POST_TRADE
from authorisation.domain.principal import Principal
from kernel.errors import NotPermitted

ALLOCATE_BLOCK = "allocate_block"
WORK_POST_TRADE = "work_post_trade"


def require_allocate(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor may say who gets what of a block; our processes do by rule."""
    if not actor.is_process:
        actor.require(ALLOCATE_BLOCK, "Your role may not allocate blocks.")


def require_work(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor may work on confirmations, notes and settlement; our processes do."""
    if not actor.is_process:
        actor.require(WORK_POST_TRADE, "Your role may not work on confirmations, notes or settlement.")


def require_scheme_asker(actor: Principal, *, of_the_firm: bool = False) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor may ask for a scheme: who allocates blocks for those of a desk, who works on
    post-trade also for those of the firm. Who saves it is somebody else, who never trades (ADR 0058)."""
    if WORK_POST_TRADE in actor.rights:
        return
    if of_the_firm:
        actor.require(WORK_POST_TRADE, "A scheme of every desk is asked for by operations: name your desk.")
    actor.require(ALLOCATE_BLOCK, "Your role may not ask for schemes of allocation.")


def require_decide(actor: Principal) -> None:
    """Raise NotPermitted RIGHT_MISSING unless the actor may decide about standing instructions, tolerances and schemes."""
    actor.require(DECIDE_POST_TRADE, "Your role may not decide about post-trade.")


def require_setting_process(actor: Principal) -> None:
    """Raise NotPermitted SECOND_PERSON_NEEDED for people: where trades settle is changed by a request that another decides."""
    if not actor.is_process:
        raise NotPermitted(
            "SECOND_PERSON_NEEDED", "Ask for a change: a second person decides where the trades of an account settle."
        )
