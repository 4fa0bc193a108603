"""Let go what an endpoint will never take: a person's decision, with the reason, kept with the ids of the events."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from kernel.errors import Conflict, Invalid
from outbound.locks import lock_subscription
from outbound.models import HeldDelivery
from outbound.permissions import require_operator
from outbound.services._events import DEAD, record, set_matter

MOST_DROPPED = 500


def drop_dead_letters(*, actor: Principal, at: datetime, subscription_id: UUID, reason: str) -> int:
    """Drop up to 500 of what was given up, oldest first; returns how many. They stay in the journal and the stream.

    Raises NotPermitted RIGHT_MISSING, NotFound SUBSCRIPTION_UNKNOWN, Invalid REASON_MISSING, Conflict NOTHING_GIVEN_UP.
    """
    require_operator(actor)
    if not reason.strip():
        raise Invalid("REASON_MISSING", "Say why.", {"reason": ["Say why."]})
    with transaction.atomic():
        subscription = lock_subscription(subscription_id)
        dead = HeldDelivery.objects.filter(subscription=subscription, state=HeldDelivery.State.DEAD)
        rows = list(dead.order_by("position", "id")[:MOST_DROPPED])
        if not rows:
            raise Conflict("NOTHING_GIVEN_UP", "Nothing of this subscription was given up.")
        HeldDelivery.objects.filter(pk__in=[row.pk for row in rows]).delete()
        payload = {"reason": reason.strip()[:500], "event_ids": [str(row.event_id) for row in rows]}
        record(subscription_id=subscription_id, kind="WebhookDeadLettersDropped", actor=actor, at=at, payload=payload)
        if not dead.exists():
            set_matter(subscription, DEAD, wrong=False, sentence="a person let them go.", actor=actor, at=at)
    return len(rows)
