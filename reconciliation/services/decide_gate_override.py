"""A second person's word on a gate of the start of day: approved, who was named may trade until its time, or until the file is here.

Only the gate that was asked about is opened: was it lifted, or set anew, meanwhile, the word is not applied.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from authorisation.domain.principal import process_principal
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from reconciliation.locks import lock_feed
from reconciliation.models import Feed
from reconciliation.selectors.gates import KIND
from risk.models import Block
from risk.services.grant_waiver import grant_waiver


def why_not_now(payload: Mapping[str, Any], at: datetime) -> str:
    """Why it cannot be opened any more, or the empty text."""
    if at >= datetime.fromisoformat(payload["until"]):
        return "The time it was asked for is over."
    block = Block.objects.filter(pk=payload["block_id"]).first()
    if block is None or block.lifted_at is not None:
        return "The gate it was asked for does not stand any more."
    return ""


def _load(asking: Asking) -> Feed:
    return lock_feed(asking.payload["feed"])


def _apply(asking: Asking, feed: Feed) -> Applied:
    asked = asking.payload
    why_not = why_not_now(asked, asking.at)
    if why_not:
        raise NotApplied(why_not)
    gate = Block.objects.get(pk=asked["block_id"])
    grant_waiver(
        actor=replace(process_principal("start_of_day"), on_behalf_of=asking.actor.actor),
        at=asking.at,
        scope=gate.scope,
        scope_id=gate.scope_id,
        source=gate.source,
        account_id=asked["account_id"],
        until=datetime.fromisoformat(asked["until"]),
        reason=asked["reason"],
        request_id=asking.facts.id,
    )
    return Applied(
        f"{asked['account'] or 'Every account'} may trade without {feed.title} until {asked['until'][11:16]} UTC."
    )


def _decline(asking: Asking, feed: Feed) -> str:
    return f"The gate of {feed.title} stays shut."


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_gate_override = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
