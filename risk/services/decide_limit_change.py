"""A second person's word on a limit. Approved, it is set in the same transaction, with its version, history and event.

This is the only way to another limit once the house is set up: the database takes a mark from no process of the house
unless it names an approved request (trigger ``risk_limit_by_change``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from kernel.crash_points import crash_point
from risk.domain.limit_change import LimitChange, change_from_payload
from risk.domain.usage import COUNTED_KINDS, usage_key
from risk.locks import lock_limit
from risk.models import Limit
from risk.services._events import record
from risk.services.request_limit_change import KIND
from risk.services.start_counting import start_counting


def _load(asking: Asking) -> Limit | None:
    change = change_from_payload(asking.payload)
    return lock_limit(change.scope, change.scope_id, change.kind, change.currency)


def _apply(asking: Asking, standing: Limit | None) -> Applied:
    change = change_from_payload(asking.payload)
    obstacle = _obstacle(change, standing, asking.facts.subject_version, asking.at)
    if obstacle:
        raise NotApplied(obstacle)
    _set(change, standing, asking.actor, asking.at, asking.facts.id, asking.payload)
    crash_point("limit.changed")
    return Applied(f"{change.words(str(asking.payload['name']))}.")


def _decline(asking: Asking, standing: Limit | None) -> str:
    return "The limit stays as it is."


def _obstacle(change: LimitChange, standing: Limit | None, version: int, at: datetime) -> str:
    if (standing.version if standing is not None else 0) != version:
        return "The limit was changed since this was asked."
    if change.effective_until is not None and change.effective_until <= at:
        return "The time it was asked for is over."
    return ""


def _set(
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


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_limit_change = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
