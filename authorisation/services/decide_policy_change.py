"""A second person's word on who decides what: approved, the next version of the policy stands for what is raised from then on."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from authorisation.domain.policy_change import PolicyChange, change_of_payload
from authorisation.models import ApprovalPolicy
from authorisation.selectors.policies import last_version
from authorisation.services._events import record
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from authorisation.services.request_policy_change import KIND, require_enough_people
from journal.locks import lock_heads


def _load(asking: Asking) -> PolicyChange:
    change = change_of_payload(asking.payload)
    lock_heads([f"policy:{change.kind}"])
    return change


def _apply(asking: Asking, change: PolicyChange) -> Applied:
    version = last_version(change)
    if version != asking.facts.subject_version:
        raise NotApplied("The policy was changed since this was asked.")
    require_enough_people(change)
    values = {name: value for name, value in change.to_payload().items() if name != "above"}
    try:
        with transaction.atomic():
            row = ApprovalPolicy.objects.create(
                **values, above=change.above, version=version + 1, effective_from=asking.at, change_id=asking.facts.id
            )
    except IntegrityError as error:
        raise NotApplied("Another change of this policy came first; it must be asked for again.") from error
    record(
        stream=f"policy:{change.kind}",
        kind="ApprovalPolicySet",
        actor=asking.actor,
        at=asking.at,
        payload={
            **change.to_payload(),
            "policy_id": row.pk,
            "version": row.version,
            "reason": asking.payload["reason"],
            "authorisation_id": asking.facts.id,
            "maker_id": asking.facts.maker_id,
        },
    )
    return Applied(f"{asking.payload['name']}.")


def _decline(asking: Asking, change: PolicyChange) -> str:
    return "The policy stays as it is."


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_policy_change = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
