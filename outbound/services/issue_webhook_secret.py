"""A secret for a subscription, shown once. While two live, every delivery is signed with both: that is the rotation."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation import security_log
from authorisation.domain.principal import Principal
from authorisation.domain.stepping_up import require_confirmed
from authorisation.sealing import seal
from kernel.errors import Conflict
from kernel.ids import new_id
from outbound.domain.transitions import ENDED
from outbound.locks import lock_subscription
from outbound.models import SubscriptionSecret
from outbound.permissions import require_administrator
from outbound.services._events import record

MOST_LIVE = 2
SECRET_BYTES = 32


@dataclass(frozen=True, slots=True)
class IssuedSecret:
    """``secret`` is told here and never again; ``key`` names it in signatures."""

    key: UUID
    secret: str

    def __repr__(self) -> str:
        return f"IssuedSecret(key={self.key}, secret=…)"


def sealed_about(key: UUID) -> str:
    """What the sealed text of a secret is bound to."""
    return f"webhook_secret:{key}"


def issue_webhook_secret(*, actor: Principal, at: datetime, subscription_id: UUID) -> IssuedSecret:
    """Make one. Raises NotPermitted RIGHT_MISSING or STEP_UP_NEEDED, NotFound SUBSCRIPTION_UNKNOWN, Conflict SUBSCRIPTION_ENDED or
    SECRETS_FULL; then nothing is kept."""
    require_administrator(actor)
    require_confirmed(actor)
    with transaction.atomic():
        subscription = lock_subscription(subscription_id)
        if subscription.state == ENDED:
            raise Conflict("SUBSCRIPTION_ENDED", "This subscription has ended.")
        if subscription.secrets.filter(ended_at__isnull=True).count() >= MOST_LIVE:
            raise Conflict("SECRETS_FULL", f"{MOST_LIVE} secrets live already; end the old one first.")
        issued = IssuedSecret(new_id(), secrets.token_urlsafe(SECRET_BYTES))
        SubscriptionSecret.objects.create(
            id=issued.key,
            subscription=subscription,
            sealed=seal(issued.secret.encode(), about=sealed_about(issued.key)),
            made_at=at,
        )
        payload = {"key": str(issued.key)}
        record(subscription_id=subscription_id, kind="WebhookSecretIssued", actor=actor, at=at, payload=payload)
    security_log.write(
        "WEBHOOK_SECRET_ISSUED", user=actor.actor, subscription=str(subscription_id), issued=str(issued.key)
    )
    return issued
