"""A second person's word on a change of a rule: the next version, if none came in between. What it changes follows by itself."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from reconciliation.domain.feed_changes import typed_terms
from reconciliation.domain.rule_changes import RuleChange
from reconciliation.locks import lock_rule
from reconciliation.models import Feed, FeedVersion
from reconciliation.selectors.rule_changes import KIND, MODELS, standing
from reconciliation.services._effects import ACTOR


def change_of(payload: Mapping[str, Any]) -> RuleChange:
    """What was asked."""
    return RuleChange(payload["rule"], payload["scope"], payload["value"])


def _load(asking: Asking) -> RuleChange:
    change = change_of(asking.payload)
    lock_rule(change.subject)
    return change


def _apply(asking: Asking, change: RuleChange) -> Applied:
    version, before = standing(change)
    if version != asking.payload["version"] or before != asking.payload["before"]:
        raise NotApplied("The rule was changed since this was asked.")
    event_id = new_id()
    draft = EventDraft(
        id=event_id,
        stream=f"recon-rules:{change.rule}",
        kind="ReconciliationRuleChanged",
        actor=ACTOR.actor,
        on_behalf_of=asking.actor.actor,
        correlation_id=asking.facts.id,
        event_at=asking.at,
        received_at=asking.at,
        business_date=asking.at.date(),
        payload={
            "rule": change.rule, "scope": dict(change.scope), "value": dict(change.value), "before": before,
            "version": version + 1, "authorisation_id": str(asking.facts.id), "maker_id": asking.facts.maker_id,
            "checker_id": asking.actor.user_id, "reason": asking.payload["reason"],
        },
    )  # fmt: skip
    append_to_stream(drafts=[draft], at=asking.at)
    kept = {"version": version + 1, "request_id": asking.facts.id, "event_id": event_id, "recorded_at": asking.at}
    if change.rule == "feed":
        _agree(change, kept)
    else:
        MODELS[change.rule]._default_manager.create(**change.scope, **_typed(change), **kept)
    return Applied(f"Version {version + 1} of {change.subject} is in force.")


def _agree(change: RuleChange, kept: Mapping[str, Any]) -> None:
    """The terms as they were agreed, and the feed as whoever takes files in reads it."""
    code = change.scope["code"]
    FeedVersion.objects.create(code=code, terms=dict(change.value), **kept)
    columns = typed_terms(change.value)
    market = columns.pop("market")
    Feed.objects.update_or_create(code=code, defaults={**columns, "market_id": market})


def _typed(change: RuleChange) -> dict[str, Any]:
    """The values as the table keeps them."""
    made = {"amount": Decimal, "above": Decimal, "escalate_after_s": int}
    return {name: made.get(name, str)(text) for name, text in change.value.items()}


def _decline(asking: Asking, change: RuleChange) -> str:
    return "The rule stays as it is."


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_recon_rules = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
