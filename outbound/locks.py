"""Row locks of this room: subscription, then its secrets and held deliveries by it. The fence of the deliverer comes before."""

from __future__ import annotations

from uuid import UUID

from kernel.errors import NotFound
from outbound.models import Subscription


def lock_subscription(subscription_id: UUID) -> Subscription:
    """The subscription, locked until commit. Raises NotFound SUBSCRIPTION_UNKNOWN."""
    found = Subscription.objects.select_for_update().filter(pk=subscription_id).first()
    if found is None:
        raise NotFound("SUBSCRIPTION_UNKNOWN", "There is no such subscription.")
    return found
