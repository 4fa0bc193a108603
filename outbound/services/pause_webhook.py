"""Stop sending for a while: by a person, or by the house where nobody is left to hear or nothing arrives any more."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Conflict
from outbound.domain.transitions import ACTIVE
from outbound.locks import lock_subscription
from outbound.permissions import require_operator
from outbound.services._events import HALTED, record, set_matter


def pause_webhook(*, actor: Principal, at: datetime, subscription_id: UUID, reason: str) -> None:
    """Move it to paused; what is on its way arrives. By a process it is also an anomaly, because somebody must look.

    Raises NotPermitted RIGHT_MISSING, NotFound SUBSCRIPTION_UNKNOWN, Conflict SUBSCRIPTION_NOT_ACTIVE.
    """
    require_operator(actor)
    with transaction.atomic():
        subscription = lock_subscription(subscription_id)
        if subscription.state != ACTIVE:
            raise Conflict("SUBSCRIPTION_NOT_ACTIVE", f"It is {subscription.state}.")
        subscription.pause()
        subscription.state_reason, subscription.state_at = reason.strip()[:500], at
        subscription.save()
        payload = {"reason": subscription.state_reason}
        record(subscription_id=subscription_id, kind="WebhookPaused", actor=actor, at=at, payload=payload)
        if actor.is_process:
            set_matter(subscription, HALTED, wrong=True, sentence=f"paused. {reason}", actor=actor, at=at)
