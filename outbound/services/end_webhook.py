"""Stop sending for good. What is held stays as it was, to be looked at; nothing is sent of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Conflict, Invalid
from outbound.domain.transitions import ENDED
from outbound.locks import lock_subscription
from outbound.permissions import require_administrator
from outbound.services._events import DEAD, FAILING, HALTED, record, set_matter


def end_webhook(*, actor: Principal, at: datetime, subscription_id: UUID, reason: str) -> None:
    """Move it to ended, its secrets with it. Raises NotPermitted RIGHT_MISSING, NotFound SUBSCRIPTION_UNKNOWN, Invalid
    REASON_MISSING, Conflict SUBSCRIPTION_ENDED."""
    require_administrator(actor)
    if not reason.strip():
        raise Invalid("REASON_MISSING", "Say why.", {"reason": ["Say why."]})
    with transaction.atomic():
        subscription = lock_subscription(subscription_id)
        if subscription.state == ENDED:
            raise Conflict("SUBSCRIPTION_ENDED", "It has ended already.")
        subscription.end()
        subscription.state_reason, subscription.state_at = reason.strip()[:500], at
        subscription.save()
        subscription.secrets.filter(ended_at__isnull=True).update(ended_at=at)
        payload = {"reason": subscription.state_reason}
        record(subscription_id=subscription_id, kind="WebhookEnded", actor=actor, at=at, payload=payload)
        for kind in (HALTED, FAILING, DEAD):
            set_matter(subscription, kind, wrong=False, sentence="it has ended.", actor=actor, at=at)
