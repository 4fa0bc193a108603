"""Who sees and who trades an order: the desk and the account group must both be granted. Rights come with the principal."""

from __future__ import annotations

from authorisation.domain.principal import (
    CANCEL_ORDER,
    ENTER_ORDER,
    TRADE_ACCOUNT_GROUP,
    TRADE_DESK,
    VIEW_ACCOUNT_GROUP,
    VIEW_DESK,
    Principal,
)
from kernel.errors import NotPermitted
from risk.domain.facts import OperatorFacts


def visible_desks(actor: Principal) -> frozenset[int]:
    """Ids of the desks whose orders the actor may see; trading implies seeing."""
    return actor.granted(VIEW_DESK) | actor.granted(TRADE_DESK)


def visible_groups(actor: Principal) -> frozenset[int]:
    """Ids of the account groups whose orders the actor may see."""
    return actor.granted(VIEW_ACCOUNT_GROUP) | actor.granted(TRADE_ACCOUNT_GROUP)


def can_see(actor: Principal, *, desk_id: int, group_id: int) -> bool:
    """Whether an order of this desk and account group exists for the actor at all."""
    return desk_id in visible_desks(actor) and group_id in visible_groups(actor)


def require_entry(actor: Principal) -> None:
    """Raise NotPermitted unless the actor's role enters orders."""
    actor.require(ENTER_ORDER, "Your role may not enter orders.")


def require_cancelling(actor: Principal) -> None:
    """Raise NotPermitted unless the actor's role enters orders or cancels those of others."""
    if not actor.uses(CANCEL_ORDER):
        actor.require(ENTER_ORDER, "Your role may not cancel orders.")


def require_trading(actor: Principal, *, desk_id: int, group_id: int, cancelling: bool = False) -> None:
    """Raise NotPermitted unless the actor may act on orders of this desk and account group: any way, or only cancel."""
    if cancelling:
        require_cancelling(actor)
    else:
        require_entry(actor)
    if desk_id not in actor.granted(TRADE_DESK) or group_id not in actor.granted(TRADE_ACCOUNT_GROUP):
        raise NotPermitted("TRADE_NOT_GRANTED", "You may see this order but not act on it.")


def may_own(actor: Principal, *, desk_id: int, group_id: int) -> bool:
    """Whether an order of this desk and account group can be given to the actor: one who could have entered it."""
    return (
        ENTER_ORDER in actor.rights
        and desk_id in actor.granted(TRADE_DESK)
        and group_id in actor.granted(TRADE_ACCOUNT_GROUP)
    )


def operator_facts(actor: Principal, *, desk_id: int, group_id: int) -> OperatorFacts:
    """What the checks need to know of the actor."""
    return OperatorFacts(
        may_enter=actor.uses(ENTER_ORDER),
        trades_desk=desk_id in actor.granted(TRADE_DESK),
        trades_group=group_id in actor.granted(TRADE_ACCOUNT_GROUP),
        is_service=actor.is_service,
        may_send=actor.may_send,
    )
