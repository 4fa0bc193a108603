"""What an endpoint is to be sent next: held deliveries and new events, told anew with the rights of now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson

from journal.domain.records import EventRecord
from journal.selectors.events import list_events_after, list_events_at
from outbound.domain.contracts import BY_TOLD, journal_kinds
from outbound.domain.pacing import MOST_HELD, SLICE
from outbound.domain.slices import Item, Plan, plan, room_for_new
from outbound.domain.telling import Listener, Told
from outbound.models import HeldDelivery
from outbound.selectors import Breach, tell_all
from outbound.selectors.subscriptions import Duty, list_waiting


class Slice(NamedTuple):
    """``bodies`` by event: an event of the plan without one may not be told any more. ``more``: read on at once."""

    plan: Plan
    bodies: Mapping[UUID, bytes]
    breaches: list[Breach]
    more: bool


NOTHING = Slice(Plan(), {}, [], False)


def body_of(told: Told) -> bytes:
    """The bytes that are sent and signed: the same for the same event."""
    return orjson.dumps(told, option=orjson.OPT_SORT_KEYS)


def get_slice(duty: Duty, listener: Listener, *, after: int, up_to: int, at: datetime) -> Slice:
    """The next slice of a duty whose journal is read behind ``after``, never past the horizon ``up_to``."""
    if not duty.health.may_try(at):
        return NOTHING
    rows = list_waiting(duty.subscription.pk, limit=MOST_HELD + SLICE)
    room = room_for_new(len(rows))
    records = list_events_after(after, limit=room, kinds=journal_kinds(duty.kinds), up_to=up_to) if room else []
    more = bool(records) and len(records) == room
    reached = (records[-1].position if more else max(up_to, after)) if room else None
    tellings, breaches = tell_all(records, listener)
    bodies = {one.event.id: body_of(one.told) for one in tellings if one.told is not None}
    fresh = [_fresh(one.event) for one in tellings if one.told is not None]
    planned = plan([_held(row) for row in rows], fresh, reached=reached, health=duty.health, at=at)
    again, found = tell_all(list_events_at([item.position for item in planned.items if item.is_held]), listener)
    bodies |= {one.event.id: body_of(one.told) for one in again if one.told is not None}
    return Slice(planned, bodies, breaches + found, more and planned.position == reached)


def _fresh(event: EventRecord) -> Item:
    return Item(event.position, event.id, event.stream, BY_TOLD[event.kind].kind)


def _held(row: HeldDelivery) -> Item:
    return Item(row.position, row.event_id, row.stream, row.kind, row.attempts, row.due_at, row.first_failed_at)
