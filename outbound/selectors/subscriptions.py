"""Reads of subscriptions: what the page shows, and what the deliverer needs to know of one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from authorisation.models import User
from authorisation.sealing import unseal
from authorisation.selectors import get_principal
from journal.bulk import raw_cursor
from kernel.errors import NotFound
from orders.permissions import visible_desks
from outbound.domain.contracts import BY_KIND, journal_kinds
from outbound.domain.pacing import Health
from outbound.domain.telling import Listener
from outbound.domain.transitions import ACTIVE, ENDED
from outbound.models import DeliveryAttempt, HeldDelivery, Subscription

MOST_SHOWN = 100


def is_name_taken(name: str) -> bool:
    """Whether a subscription that has not ended bears the name."""
    return Subscription.objects.filter(name=name).exclude(state=ENDED).exists()


def count_open() -> int:
    """Subscriptions that have not ended."""
    return Subscription.objects.exclude(state=ENDED).count()


def service_accounts() -> list[User]:
    """Who may be listened with: service accounts in use, by name."""
    return list(User.objects.filter(kind=User.Kind.SERVICE, is_active=True).order_by("username", "id"))


def desks_heard_by(user_id: int) -> frozenset[int] | None:
    """Desks that the service account sees now; None when there is no such account in use."""
    user = User.objects.filter(pk=user_id, kind=User.Kind.SERVICE, is_active=True).first()
    return visible_desks(get_principal(user)) if user else None


def list_active() -> set[UUID]:
    """Ids of the subscriptions that run."""
    return set(Subscription.objects.filter(state=ACTIVE).values_list("id", flat=True))


def health_of(subscription: Subscription) -> Health:
    """Its health as pacing knows it."""
    one = subscription
    return Health(one.failures, one.failing_since, one.last_success_at, one.quiet_until)


@dataclass(frozen=True, slots=True)
class Duty:
    """All that the deliverer needs of a subscription that runs. ``listener`` is None when its user is gone."""

    subscription: Subscription
    listener: Listener | None
    kinds: frozenset[str]
    secrets: tuple[tuple[str, str], ...]
    health: Health
    position: int

    def __repr__(self) -> str:
        return f"Duty({self.subscription.pk})"


def find_duty(subscription_id: UUID) -> Duty | None:
    """The duty of now: rights, secrets and health are read anew each time; None when it does not run."""
    found = Subscription.objects.select_related("user").filter(pk=subscription_id, state=ACTIVE).first()
    if found is None:
        return None
    listener = None
    if found.user.is_active and found.user.kind == User.Kind.SERVICE:
        listener = Listener(get_principal(found.user), frozenset(found.desks) if found.desks else None)
    live = found.secrets.filter(ended_at__isnull=True).order_by("made_at", "id")
    secrets = tuple((str(one.pk), unseal(one.sealed, about=f"webhook_secret:{one.pk}").decode()) for one in live)
    kinds = frozenset(found.kinds) or frozenset(BY_KIND)
    return Duty(found, listener, kinds, secrets, health_of(found), found.position or 0)


def list_waiting(subscription_id: UUID, *, limit: int) -> list[HeldDelivery]:
    """What waits for the endpoint, in order of position."""
    rows = HeldDelivery.objects.filter(subscription_id=subscription_id, state=HeldDelivery.State.WAITING)
    return list(rows.order_by("position", "id")[:limit])


class Lag(NamedTuple):
    """Events of its kinds that it has not been given yet, at most 1,000 counted, and how long the oldest waits."""

    events: int
    oldest_s: float


_LAG = """
SELECT count(*), min(recorded_at) FROM (
  SELECT recorded_at FROM journal_event WHERE position > %s AND kind = ANY(%s::text[]) ORDER BY position LIMIT 1000) AS behind
"""


def find_lag(subscription: Subscription, *, at: datetime) -> Lag:
    """How far the endpoint is behind the journal; what is held for it counts apart."""
    if subscription.position is None:
        return Lag(0, 0.0)
    with raw_cursor() as cursor:
        cursor.execute(_LAG, [subscription.position, list(journal_kinds(frozenset(subscription.kinds) or None))])
        row = cursor.fetchone()
    count, oldest = row or (0, None)
    return Lag(count, max((at - oldest).total_seconds(), 0.0) if oldest else 0.0)


def list_subscriptions() -> list[Subscription]:
    """All of them, those that run or may run first, by name."""
    rows = list(Subscription.objects.select_related("user").order_by("name", "id"))
    return sorted(rows, key=lambda row: row.state == ENDED)


def list_dead(subscription_id: UUID) -> list[HeldDelivery]:
    """What was given up, oldest first, at most 100."""
    rows = HeldDelivery.objects.filter(subscription_id=subscription_id, state=HeldDelivery.State.DEAD)
    return list(rows.order_by("position", "id")[:MOST_SHOWN])


def count_held(subscription_id: UUID) -> tuple[int, int]:
    """How many wait, and how many were given up."""
    states = HeldDelivery.objects.filter(subscription_id=subscription_id).values_list("state", flat=True)
    found = list(states)
    dead = sum(state == HeldDelivery.State.DEAD for state in found)
    return len(found) - dead, dead


def get_subscription(subscription_id: UUID) -> Subscription:
    """Raises NotFound SUBSCRIPTION_UNKNOWN."""
    found = Subscription.objects.select_related("user").filter(pk=subscription_id).first()
    if found is None:
        raise NotFound("SUBSCRIPTION_UNKNOWN", "There is no such subscription.")
    return found


@dataclass(frozen=True, slots=True)
class AttemptFilter:
    """Empty fields do not narrow. ``about`` is an event's id or a subject such as ``order:<id>``."""

    outcome: str = ""
    kind: str = ""
    about: str = ""


def list_attempts(subscription_id: UUID, wanted: AttemptFilter, *, before: int | None) -> list[DeliveryAttempt]:
    """The latest tries first, at most 100, behind the id ``before``."""
    rows = DeliveryAttempt.objects.filter(subscription_id=subscription_id)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    if wanted.outcome:
        rows = rows.filter(outcome=wanted.outcome)
    if wanted.kind:
        rows = rows.filter(kind=wanted.kind)
    if wanted.about:
        identity = _uuid(wanted.about)
        rows = rows.filter(event_id=identity) if identity else rows.filter(stream=wanted.about)
    return list(rows.order_by("-id")[:MOST_SHOWN])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
