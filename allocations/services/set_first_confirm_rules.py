"""Lay down the first tolerances and terms of a house, where nothing stands yet. What stands is changed by two people alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from allocations.domain.confirm_rules import RuleChange
from allocations.selectors.confirm_rules import MODELS, standing, typed
from authorisation.domain.principal import Principal
from journal.bulk import one_transaction
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id


def set_first_confirm_rules(*, actor: Principal, at: datetime, changes: Sequence[RuleChange]) -> int:
    """How many were laid down. Our own processes alone call it; a rule that stands is left as it is."""
    laid = 0
    with one_transaction():
        for change in changes:
            if standing(change)[0]:
                continue
            event_id = new_id()
            payload = {
                "rule": change.rule, "scope": dict(change.scope), "value": dict(change.value), "before": {}, "version": 1,
                "authorisation_id": None, "maker_id": None, "reason": "first of the house",
            }  # fmt: skip
            draft = EventDraft(
                id=event_id, stream=f"post-trade-rules:{change.rule}", kind="PostTradeRuleChanged", actor=actor.actor,
                correlation_id=event_id, event_at=at, received_at=at, business_date=at.date(), payload=payload,
            )  # fmt: skip
            append_to_stream(drafts=[draft], at=at)
            MODELS[change.rule]._default_manager.create(
                **change.scope, **typed(change.value), version=1, event_id=event_id, recorded_at=at
            )
            laid += 1
    return laid
