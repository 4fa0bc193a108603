"""A second person's word on a subscription: approved, it exists, paused and without a secret, in the same transaction."""

from __future__ import annotations

from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from kernel.ids import new_id
from outbound.domain.draft import MOST_SUBSCRIPTIONS, Draft, draft_of
from outbound.models import Subscription
from outbound.selectors.subscriptions import count_open, desks_heard_by, is_name_taken
from outbound.sending import house_reach
from outbound.services._events import record
from outbound.services.request_webhook import KIND


def obstacle_to(draft: Draft) -> str:
    """Why it cannot be opened as things are now; empty when it can."""
    faults = draft.faults(house_reach(), visible_desks=desks_heard_by(draft.user_id))
    if faults:
        return " ".join(sentence for sentences in faults.values() for sentence in sentences)
    if is_name_taken(draft.name):
        return f"A subscription is called {draft.name} already."
    if count_open() >= MOST_SUBSCRIPTIONS:
        return f"There are {MOST_SUBSCRIPTIONS} subscriptions already."
    return ""


def _load(asking: Asking) -> Draft:
    """There is nothing to lock: it does not exist yet. Two of one name meet the constraint on it."""
    return draft_of(asking.payload)


def _apply(asking: Asking, draft: Draft) -> Applied:
    obstacle = obstacle_to(draft)
    if obstacle:
        raise NotApplied(obstacle)
    identity, at, approved_as = new_id(), asking.at, asking.facts.id
    Subscription.objects.create(
        id=identity,
        name=draft.name,
        user_id=draft.user_id,
        url=draft.url,
        kinds=sorted(draft.kinds),
        desks=sorted(draft.desks),
        authorisation_id=approved_as,
        created_at=at,
        state_reason="It has no secret yet.",
        state_at=at,
    )
    payload = {
        "name": draft.name,
        "url": draft.url,
        "user_id": draft.user_id,
        "kinds": sorted(draft.kinds),
        "desks": sorted(draft.desks),
        "authorisation_id": str(approved_as),
    }
    record(subscription_id=identity, kind="WebhookApproved", actor=asking.actor, at=at, payload=payload)
    return Applied(f"{draft.name} may be sent to. An administrator gives it a secret and lets it run.")


def _decline(asking: Asking, draft: Draft) -> str:
    return "Nothing is sent there."


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_webhook = _SUBJECT.decide
"""Approve or decline. What was asked is looked at again as things are now.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
