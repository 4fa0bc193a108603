"""End a secret once the receiver has its successor. A subscription that runs keeps at least one."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Conflict, NotFound
from outbound.domain.transitions import ACTIVE
from outbound.locks import lock_subscription
from outbound.permissions import require_administrator
from outbound.services._events import record


def end_webhook_secret(*, actor: Principal, at: datetime, subscription_id: UUID, key: UUID) -> None:
    """Sign no more with it. Raises NotPermitted RIGHT_MISSING, NotFound SUBSCRIPTION_UNKNOWN or SECRET_UNKNOWN, Conflict
    LAST_SECRET; then nothing changed."""
    require_administrator(actor)
    with transaction.atomic():
        subscription = lock_subscription(subscription_id)
        live = {one.pk: one for one in subscription.secrets.filter(ended_at__isnull=True)}
        if key not in live:
            raise NotFound("SECRET_UNKNOWN", "There is no such live secret of this subscription.")
        if len(live) == 1 and subscription.state == ACTIVE:
            raise Conflict("LAST_SECRET", "It is the only one; pause the subscription or issue another first.")
        live[key].ended_at = at
        live[key].save(update_fields=["ended_at"])
        record(
            subscription_id=subscription_id, kind="WebhookSecretEnded", actor=actor, at=at, payload={"key": str(key)}
        )
