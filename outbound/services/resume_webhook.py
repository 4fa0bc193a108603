"""Let a subscription run: from where it stood, or, the first time, from now on."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from journal.selectors.horizon import Horizon
from kernel.errors import Conflict, Unavailable
from outbound.domain.transitions import PAUSED
from outbound.locks import lock_subscription
from outbound.permissions import require_operator
from outbound.selectors.subscriptions import desks_heard_by
from outbound.services._events import FAILING, HALTED, record, set_matter


def resume_webhook(*, actor: Principal, at: datetime, subscription_id: UUID, reason: str) -> None:
    """Move it to active and forget its failures. Raises NotPermitted RIGHT_MISSING, NotFound SUBSCRIPTION_UNKNOWN,
    Conflict SUBSCRIPTION_NOT_PAUSED, SECRET_MISSING or USER_GONE, Unavailable POSITION_NOT_SETTLED; then nothing changed."""
    require_operator(actor)
    horizon = Horizon()
    here = horizon.position(patience_s=1.0)
    with transaction.atomic():
        subscription = lock_subscription(subscription_id)
        if subscription.state != PAUSED:
            raise Conflict("SUBSCRIPTION_NOT_PAUSED", f"It is {subscription.state}.")
        if not subscription.secrets.filter(ended_at__isnull=True).exists():
            raise Conflict("SECRET_MISSING", "It has no secret to sign with; issue one first.")
        if desks_heard_by(subscription.user_id) is None:
            raise Conflict("USER_GONE", "Its service account is no longer in use.")
        if subscription.position is None:
            if horizon.pending:
                raise Unavailable("POSITION_NOT_SETTLED", "Which position is now is not settled just now; try again.")
            subscription.position = here
        subscription.resume()
        subscription.state_reason, subscription.state_at = reason.strip()[:500], at
        subscription.failures, subscription.failing_since, subscription.quiet_until = 0, None, None
        subscription.save()
        payload = {"reason": subscription.state_reason, "position": subscription.position}
        record(subscription_id=subscription_id, kind="WebhookResumed", actor=actor, at=at, payload=payload)
        for kind in (HALTED, FAILING):
            set_matter(subscription, kind, wrong=False, sentence="a person lets it run.", actor=actor, at=at)
