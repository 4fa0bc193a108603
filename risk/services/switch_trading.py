"""Switch trading on or off for the firm. Off is a standing block; on is its lifting, so a house without a row is off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from authorisation.domain.principal import Principal
from journal.selectors.processes import list_processes, why_different
from kernel.errors import Refused
from kernel.ids import new_id
from risk.locks import lock_blocks
from risk.models import Block, Scope
from risk.permissions import SWITCH_TRADING, require_right
from risk.selectors import TRADING_SWITCH, trading_is_on
from risk.services._events import record


@dataclass(frozen=True, slots=True)
class SwitchResult:
    """Whether trading is on now, and whether this call changed it."""

    is_on: bool
    changed: bool


def switch_trading(*, actor: Principal, at: datetime, on: bool, reason: str) -> SwitchResult:
    """Set the switch; the same word again changes nothing. Raises NotPermitted RIGHT_MISSING, Refused PROCESSES_DIFFER."""
    require_right(actor, SWITCH_TRADING, "Your role may not switch trading on or off.")
    with transaction.atomic():
        different = why_different(list_processes()) if on else ""
        if different:
            raise Refused("PROCESSES_DIFFER", f"Trading stays off: {different}")
        standing = lock_blocks(scope=Scope.FIRM, scope_id="", source=TRADING_SWITCH)
        if trading_is_on() == on:
            return SwitchResult(on, changed=False)
        if on and standing is not None:
            standing.lifted_by, standing.lifted_at = actor.actor, at
            standing.save(update_fields=["lifted_by", "lifted_at"])
        elif standing is None:
            Block.objects.create(
                id=new_id(),
                scope=Scope.FIRM,
                source=TRADING_SWITCH,
                reason=reason if not on else "Off until first switched on.",
                imposed_by=actor.actor,
                imposed_at=at,
                lifted_by=actor.actor if on else "",
                lifted_at=at if on else None,
            )
        kind = "TradingSwitchedOn" if on else "TradingSwitchedOff"
        record(stream="risk:firm", kind=kind, actor=actor, at=at, payload={"reason": reason})
        return SwitchResult(on, changed=True)
