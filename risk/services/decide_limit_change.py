"""A second person's word on a limit. Approved, it is set in the same transaction, with its version, history and event.

This is the only way to another limit once the house is set up: the database takes a mark from no process of the house
unless it names an approved request (trigger ``risk_limit_by_change``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from authorisation.domain.four_eyes import APPROVE, is_visible, require_decidable, require_verdict
from authorisation.domain.principal import Principal
from authorisation.locks import lock_request
from authorisation.services.record_decision import record_decision
from kernel.crash_points import crash_point
from kernel.errors import NotFound
from risk.domain.limit_change import LimitChange, change_from_payload
from risk.domain.usage import COUNTED_KINDS, usage_key
from risk.locks import lock_limit
from risk.models import Limit
from risk.services._events import record
from risk.services.request_limit_change import KIND
from risk.services.start_counting import start_counting


@dataclass(frozen=True, slots=True)
class ChangeDecided:
    """``outcome`` is applied, not_applied or declined."""

    authorisation_id: UUID
    outcome: str
    sentence: str


def decide_limit_change(
    *,
    actor: Principal,
    at: datetime,
    authorisation_id: UUID,
    verdict: str,
    reason_code: str,
    reason: str,
    payload_hash: str,
) -> ChangeDecided:
    """Approve or decline.

    Raises NotFound, NotPermitted (own request, no right, not a person), Conflict (closed, changed), Invalid, Refused
    AUTHORISATION_EXPIRED; then nothing changed.
    """
    with transaction.atomic():
        require_verdict(verdict, reason_code, reason)
        facts = lock_request(authorisation_id)
        if facts.kind != KIND or not is_visible(facts, actor):
            raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
        require_decidable(facts, actor, at, payload_hash=payload_hash)
        asked = facts.payload
        change = change_from_payload(asked)
        standing = lock_limit(change.scope, change.scope_id, change.kind, change.currency)
        obstacle = _obstacle(change, standing, facts.subject_version, at) if verdict == APPROVE else ""
        record_decision(
            actor=actor,
            at=at,
            authorisation_id=authorisation_id,
            verdict=verdict,
            reason_code=reason_code,
            reason=reason,
            payload_hash=payload_hash,
            not_applied_because=obstacle,
        )
        if verdict == APPROVE and not obstacle:
            _apply(change, standing, actor, at, authorisation_id, asked)
        crash_point("limit.changed")
    if verdict != APPROVE:
        return ChangeDecided(authorisation_id, "declined", "The limit stays as it is.")
    if obstacle:
        return ChangeDecided(authorisation_id, "not_applied", obstacle)
    return ChangeDecided(authorisation_id, "applied", f"{change.words(str(asked['name']))}.")


def _obstacle(change: LimitChange, standing: Limit | None, version: int, at: datetime) -> str:
    if (standing.version if standing is not None else 0) != version:
        return "The limit was changed since this was asked."
    if change.effective_until is not None and change.effective_until <= at:
        return "The time it was asked for is over."
    return ""


def _apply(
    change: LimitChange,
    standing: Limit | None,
    actor: Principal,
    at: datetime,
    authorisation_id: UUID,
    asked: Mapping[str, Any],
) -> None:
    key = {
        "scope": change.scope, "scope_id": change.scope_id, "kind": change.kind, "currency": change.currency,
    }  # fmt: skip
    if change.is_dated:
        begin = max(change.effective_from or at, at)
        limit = Limit(**key, effective_from=begin, effective_until=change.effective_until, version=1)
    elif standing is not None:
        limit = standing
        limit.version += 1
        limit.effective_until = at if change.hard is None else None
    else:
        limit = Limit(**key)
    if change.hard is not None:
        limit.warn, limit.hard = change.warn, change.hard
    limit.owner, limit.change_id = change.owner, authorisation_id
    limit.save()
    if change.kind in COUNTED_KINDS:
        start_counting(keys=[usage_key(change.scope, change.scope_id)], at=at)
    payload = {
        **change.to_payload(),
        "limit_id": limit.pk,
        "version": limit.version,
        "before": asked["before"],
        "reason": asked["reason"],
        "authorisation_id": str(authorisation_id),
    }
    stream = f"risk:limit:{change.scope}:{change.scope_id}"
    record(stream=stream, kind="LimitChanged", actor=actor, at=at, payload=payload)
