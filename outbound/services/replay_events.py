"""Send events to an endpoint again, by id or from a range of positions, whatever came of them before."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from journal.domain.records import EventRecord
from journal.selectors.events import list_events_after, list_events_by_id
from kernel.errors import Conflict, Invalid
from outbound.domain.contracts import BY_TOLD, journal_kinds
from outbound.domain.pacing import MOST_HELD
from outbound.domain.transitions import ENDED
from outbound.locks import lock_subscription
from outbound.models import HeldDelivery, Subscription
from outbound.permissions import require_operator
from outbound.selectors.subscriptions import count_held
from outbound.services._events import DEAD, record, set_matter
from outbound.services._held import ANEW, Held, hold

MOST_REPLAYED = 500


@dataclass(frozen=True, slots=True)
class Wanted:
    """``event_ids``, or the positions in ``(after, up_to]``, or with ``dead`` whatever was given up."""

    event_ids: tuple[UUID, ...] = ()
    after: int | None = None
    up_to: int | None = None
    dead: bool = False


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many will be sent again. Those that the listener may not hear are found out when they are told."""

    events: int


def replay_events(*, actor: Principal, at: datetime, subscription_id: UUID, wanted: Wanted) -> Replayed:
    """Put them into the endpoint's queue, at most 500 at once; only those it has read past, for the others come anyway.

    Raises NotPermitted RIGHT_MISSING, NotFound SUBSCRIPTION_UNKNOWN, Invalid REPLAY_EMPTY or REPLAY_TOO_LARGE, Conflict
    SUBSCRIPTION_ENDED or QUEUE_FULL; then nothing changed.
    """
    require_operator(actor)
    with transaction.atomic():
        subscription = lock_subscription(subscription_id)
        if subscription.state == ENDED:
            raise Conflict("SUBSCRIPTION_ENDED", "This subscription has ended.")
        events = _found(subscription, wanted)
        if not events:
            raise Invalid("REPLAY_EMPTY", "There are no such events that this subscription has read past.")
        if len(events) > MOST_REPLAYED:
            raise Invalid("REPLAY_TOO_LARGE", f"More than {MOST_REPLAYED} events at once; take a smaller range.")
        if count_held(subscription_id)[0] + len(events) > MOST_HELD:
            raise Conflict("QUEUE_FULL", "Its queue is full; let it drain first.")
        hold(subscription_id, [_again(one, at) for one in events], at=at, if_held=ANEW)
        payload = {
            "events": len(events),
            "first": events[0].position,
            "last": events[-1].position,
            "event_ids": [str(one) for one in wanted.event_ids],
            "dead": wanted.dead,
        }
        record(subscription_id=subscription_id, kind="WebhookReplayAsked", actor=actor, at=at, payload=payload)
        if not HeldDelivery.objects.filter(subscription=subscription, state=HeldDelivery.State.DEAD).exists():
            set_matter(subscription, DEAD, wrong=False, sentence="all is sent again.", actor=actor, at=at)
    return Replayed(len(events))


def _found(subscription: Subscription, wanted: Wanted) -> list[EventRecord]:
    read_to = subscription.position or 0
    if wanted.dead:
        rows = HeldDelivery.objects.filter(subscription=subscription, state=HeldDelivery.State.DEAD)
        ids = list(rows.order_by("position").values_list("event_id", flat=True)[: MOST_REPLAYED + 1])
        return _told(list_events_by_id(ids), subscription)
    if wanted.after is not None:
        up_to = min(wanted.up_to if wanted.up_to is not None else read_to, read_to)
        kinds = journal_kinds(frozenset(subscription.kinds) or None)
        return list_events_after(wanted.after, limit=MOST_REPLAYED + 1, kinds=kinds, up_to=up_to)
    if len(wanted.event_ids) > MOST_REPLAYED:
        raise Invalid("REPLAY_TOO_LARGE", f"More than {MOST_REPLAYED} events at once; take a smaller range.")
    return [one for one in _told(list_events_by_id(wanted.event_ids), subscription) if one.position <= read_to]


def _told(events: Sequence[EventRecord], subscription: Subscription) -> list[EventRecord]:
    """Those of the kinds that the subscription is for."""
    kinds: Collection[str] = subscription.kinds
    return [one for one in events if one.kind in BY_TOLD and (not kinds or BY_TOLD[one.kind].kind in kinds)]


def _again(event: EventRecord, at: datetime) -> Held:
    return Held(event.position, event.id, event.stream, BY_TOLD[event.kind].kind, due_at=at, replayed=True)
