"""Stop what adds risk in a scope. One block stands for each scope and source; imposing it again changes nothing."""

from __future__ import annotations

from datetime import datetime

from authorisation.domain.principal import Principal
from kernel.errors import Invalid
from risk.domain.stops import OPENED_BY_FACTS, is_stop, kind_of
from risk.models import POSITION, Scope
from risk.permissions import IMPOSE_BLOCK, require_right
from risk.selectors import TRADING_SWITCH
from risk.services._blocks import BlockResult, impose


def impose_block(*, actor: Principal, at: datetime, scope: str, scope_id: str, source: str, reason: str) -> BlockResult:
    """Impose it. ``source`` names who alone may lift it. Raises NotPermitted RIGHT_MISSING, Invalid BLOCK_INVALID."""
    require_right(actor, IMPOSE_BLOCK, "Your role may not impose blocks.")
    if scope not in (*Scope.values, POSITION) or (scope == Scope.FIRM) != (scope_id == "") or not reason.strip():
        raise Invalid("BLOCK_INVALID", "A block needs a known scope, its id (none for the firm) and a reason.")
    if source == TRADING_SWITCH:
        raise Invalid("BLOCK_INVALID", "The trading switch is set by switch_trading.")
    if not actor.is_process and (instead := OPENED_BY_FACTS.get(kind_of(source))):
        raise Invalid("BLOCK_INVALID", instead)
    if is_stop(source):
        raise Invalid("BLOCK_INVALID", "A stop is pressed by its own service and released by a second person.")
    return impose(actor=actor, at=at, scope=scope, scope_id=scope_id, source=source, reason=reason)
