"""Ask a second person for another tolerance, for other terms with a counterparty, or for when instructions leave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from allocations.domain.confirm_rules import read_change
from allocations.permissions import require_work
from allocations.selectors.confirm_rules import standing
from allocations.services._acting import Acted, once, require_reason
from allocations.services.decide_post_trade_rules import KIND
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict


def ask_confirm_rule(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    route: str,
    rule: str,
    said: Mapping[str, Any],
    reason: str,
    desk_id: int | None = None,
    group_id: int | None = None,
) -> Acted:
    """Ask for it; ``said`` names the rule and its values (``domain.confirm_rules``). ``desk_id`` and ``group_id``: whose it is, where
    it is somebody's.

    Raises NotPermitted RIGHT_MISSING, Invalid (RULE_INVALID, REASON_INVALID), Conflict (RULE_UNCHANGED, CHANGE_PENDING).
    """
    require_work(actor)
    why, change = require_reason(reason), read_change(rule, said)

    def act() -> Acted:
        version, before = standing(change)
        if dict(change.value) == before:
            raise Conflict("RULE_UNCHANGED", "The rule says so already.")
        if AuthorisationRequest.objects.filter(kind=KIND, subject_id=change.subject, state__in=OPEN).exists():
            raise Conflict("CHANGE_PENDING", "A change of this rule waits for a second person already.")
        summary = f"{change.subject}: {change.words}"
        raised = raise_request(
            actor=actor, at=at, kind=KIND, subject_type=rule, subject_id=change.subject, subject_version=version,
            payload={
                "rule": rule, "scope": dict(change.scope), "value": dict(change.value), "before": before, "version": version,
                "reason": why,
            },
            summary=summary[:500],
            desk_id=desk_id,
            group_id=group_id,
        )  # fmt: skip
        return Acted(f"It waits for a second person: {summary}", raised.id)

    content = {"rule": rule, "scope": dict(change.scope), "value": dict(change.value), "reason": why}
    return once(actor=actor, at=at, route=route, key=idempotency_key, content=content, act=act)
