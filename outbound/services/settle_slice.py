"""Write down what came of a slice: tries, what is held and until when, how far the journal is read, how the endpoint is.

One transaction under the deliverer's fence. Killed before it, the house knows nothing of what was sent and sends it again
under the same id; the receiver knows it by that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from journal.bulk import insert_rows
from journal.locks import require_fence
from kernel.crash_points import crash_point
from outbound.domain.pacing import Health, is_dead, wait
from outbound.domain.slices import Item, Plan
from outbound.locks import lock_subscription
from outbound.models import DeliveryAttempt, HeldDelivery, Subscription
from outbound.selectors.subscriptions import health_of
from outbound.services._events import DEAD, FAILING, set_matter
from outbound.services._held import AGAIN, Held, hold

SINGLETON = "webhooks"
_TRIED = (
    "subscription_id", "position", "event_id", "stream", "kind", "attempt", "tried_at", "outcome", "status", "ms", "error",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sent:
    """One try, in the order in which they ended. ``withheld``: its listener may not hear it any more; nothing was sent."""

    item: Item
    at: datetime
    status: int | None = None
    ms: int = 0
    error: str = ""
    withheld: bool = False


def settle_slice(
    *, actor: Principal, at: datetime, subscription_id: UUID, fence: int, plan: Plan, sent: Sequence[Sent], unit: float
) -> Health:
    """Settle ``plan`` after ``sent``; what is in the plan and was not tried is held and due now. ``unit`` spreads the waits.

    Returns the endpoint's health. Raises Unavailable SINGLETON_LOST when another deliverer has taken over; then nothing
    was written, and what was sent is sent again by the other.
    """
    with transaction.atomic():
        require_fence(SINGLETON, fence)
        subscription = lock_subscription(subscription_id)
        before = health_of(subscription)
        tried = [one for one in sent if not one.withheld]
        health = before.after([not one.error for one in tried], at=at, unit=unit)
        held = [_held(one, health, at, unit) for one in tried if one.error]
        settled = {one.item.event_id for one in sent}
        untried = [item for item in [*plan.items, *plan.parked] if item.event_id not in settled and not item.is_held]
        held += [Held(item.position, item.event_id, item.stream, item.kind, due_at=at) for item in untried]
        dead = {one.event_id for one in held if one.dead}
        insert_rows(DeliveryAttempt, [_tried(one, subscription, dead) for one in sent], fields=_TRIED)
        hold(subscription_id, held, at=at, if_held=AGAIN)
        _let_go(subscription, [one.item for one in sent if one.withheld or not one.error])
        _keep(subscription, plan, health, tried)
        _tell(subscription, before, health, actor=actor, at=at, any_dead=bool(dead))
        crash_point("webhook.settled")
    return health


def _tried(one: Sent, subscription: Subscription, dead: set[UUID]) -> tuple[object, ...]:
    outcomes = DeliveryAttempt.Outcome
    outcome = outcomes.WITHHELD if one.withheld else outcomes.FAILED if one.error else outcomes.ARRIVED
    if one.item.event_id in dead:
        outcome = outcomes.DEAD
    item = one.item
    return (
        subscription.pk, item.position, item.event_id, item.stream, item.kind, item.attempts + 1, one.at, outcome.value,
        one.status, one.ms, one.error,
    )  # fmt: skip


def _held(one: Sent, health: Health, at: datetime, unit: float) -> Held:
    item, attempts = one.item, one.item.attempts + 1
    first = item.first_failed_at or one.at
    dead = is_dead(attempts=attempts, first_failed_at=first, health=health)
    due_at = at + wait(attempts, unit)
    return Held(item.position, item.event_id, item.stream, item.kind, due_at, attempts, first, one.error, dead)


def _let_go(subscription: Subscription, items: Sequence[Item]) -> None:
    """What arrived waits no longer."""
    ids = [item.event_id for item in items if item.is_held]
    if ids:
        HeldDelivery.objects.filter(subscription=subscription, event_id__in=ids).delete()


def _keep(subscription: Subscription, plan: Plan, health: Health, tried: Sequence[Sent]) -> None:
    if plan.position is not None:
        subscription.position = max(subscription.position or 0, plan.position)
    subscription.failures, subscription.failing_since = health.failures, health.failing_since
    subscription.last_success_at, subscription.quiet_until = health.last_success_at, health.quiet_until
    errors = [one.error for one in tried if one.error]
    subscription.last_error = errors[-1] if errors else subscription.last_error if health.failures else ""
    subscription.save(
        update_fields=["position", "failures", "failing_since", "last_success_at", "quiet_until", "last_error"]
    )


def _tell(
    subscription: Subscription, before: Health, health: Health, *, actor: Principal, at: datetime, any_dead: bool
) -> None:
    """The matters that begin or end with this slice."""
    if health.is_open:
        sentence = f"takes nothing ({subscription.last_error}); it is asked again with growing pauses, nothing is lost."
        set_matter(subscription, FAILING, wrong=True, sentence=sentence, actor=actor, at=at)
    elif before.is_open:
        set_matter(subscription, FAILING, wrong=False, sentence="takes events again.", actor=actor, at=at)
    if any_dead:
        sentence = "events were given up, because it takes others but not them; send them again or let them go."
        set_matter(subscription, DEAD, wrong=True, sentence=sentence, actor=actor, at=at)
    elif not HeldDelivery.objects.filter(subscription=subscription, state=HeldDelivery.State.DEAD).exists():
        set_matter(subscription, DEAD, wrong=False, sentence="nothing is given up any more.", actor=actor, at=at)
