"""Ask a second person to let events out of the house to an address. Nothing is sent before that person's word."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation import security_log
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict, Invalid
from outbound.domain.draft import LONGEST_REASON, MOST_SUBSCRIPTIONS, Draft
from outbound.permissions import require_administrator
from outbound.selectors.subscriptions import count_open, desks_heard_by, is_name_taken
from outbound.sending import house_reach

KIND = "webhook"


@dataclass(frozen=True, slots=True)
class WebhookAsked:
    """The question that waits for a second person."""

    authorisation_id: UUID
    sentence: str


def request_webhook(*, actor: Principal, at: datetime, draft: Draft, reason: str) -> WebhookAsked:
    """Ask for it. Raises NotPermitted RIGHT_MISSING, Invalid WEBHOOK_INVALID, Conflict NAME_TAKEN, DECISION_PENDING or
    SUBSCRIPTIONS_FULL; then nothing is kept."""
    require_administrator(actor)
    faults = draft.faults(house_reach(), visible_desks=desks_heard_by(draft.user_id))
    if not reason.strip() or len(reason) > LONGEST_REASON:
        faults["reason"] = [f"Say why, in at most {LONGEST_REASON} characters."]
    if "url" in faults:
        security_log.write(
            "WEBHOOK_URL_REFUSED", user=actor.actor, level=logging.WARNING, url=draft.url, why=faults["url"][0]
        )
    if faults:
        raise Invalid("WEBHOOK_INVALID", "The subscription cannot be asked for so.", faults)
    with transaction.atomic():
        if is_name_taken(draft.name):
            raise Conflict("NAME_TAKEN", f"A subscription is called {draft.name} already.")
        if count_open() >= MOST_SUBSCRIPTIONS:
            raise Conflict(
                "SUBSCRIPTIONS_FULL", f"There are {MOST_SUBSCRIPTIONS} subscriptions already; end one first."
            )
        waiting = AuthorisationRequest.objects.filter(kind=KIND, subject_id=draft.name, state__in=OPEN)
        if waiting.exists():
            raise Conflict("DECISION_PENDING", "A subscription of this name waits for a second person already.")
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type=KIND,
            subject_id=draft.name,
            subject_version=1,
            payload=draft.payload(reason=reason.strip()),
            summary=f"Send events to {draft.url} as {draft.name}"[:500],
        )
    return WebhookAsked(raised.id, f"The subscription {draft.name} waits for a second person.")
