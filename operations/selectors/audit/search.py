"""Pages of events by who, when and of what kind, newest first; only those that exist for the actor count towards a page."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authorisation.domain.principal import Principal
from authorisation.models import ApiKey, User
from journal.domain.records import EventRecord
from journal.selectors.searching import Found, find_position_at, search_events
from operations.domain.audit_query import AuditFilter, wanted_of
from operations.selectors.audit.seeing import only_seen
from operations.selectors.audit.timeline import Entry, event_entry, names_of_actors

PAGE = 50
MOST_ROUNDS = 6
SLACK = timedelta(minutes=1)
PROCESS = "process:"


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries newest first. ``before`` leads to the next page, None at the end. ``looked_to`` is where this page stopped."""

    entries: tuple[Entry, ...]
    before: int | None
    looked_to: datetime | None = None


def actors_named(name: str) -> tuple[str, ...] | None:
    """Under which actors somebody acts: a person with their keys, or a process. None when nobody has that name."""
    if name.startswith(PROCESS):
        return (name,)
    user = User.objects.filter(username__iexact=name).first()
    if user is None:
        return None
    keys = ApiKey.objects.filter(user=user).order_by("id").values_list("pk", flat=True)
    return (f"user:{user.pk}", *(f"key:{pk}" for pk in keys))


def find_audit_page(
    actor: Principal,
    asked: AuditFilter,
    *,
    actors: tuple[str, ...],
    at: datetime,
    midnight: datetime,
    zone: str,
    before: int | None = None,
    limit: int = PAGE,
) -> AuditPage:
    """One page. Rounds are bounded: where little is to be seen the page says how far it looked, and the next goes on."""
    wanted = wanted_of(asked, actors=actors, at=at, midnight=midnight, zone=zone)
    above = find_position_at(wanted.since - SLACK) - 1 if wanted.since else 0
    below = find_position_at(wanted.until + SLACK) if wanted.until else None
    events: list[EventRecord] = []
    found = Found((), before)
    reached = before
    for _ in range(MOST_ROUNDS):
        found = search_events(replace(wanted, before=reached), above=max(above, 0), below=below, limit=limit * 2)
        events += only_seen(actor, found.events)
        reached = found.reached
        if reached is None or len(events) >= limit:
            break
    if len(events) > limit:
        events = events[:limit]
        reached = events[-1].position
    names = names_of_actors([*(event.actor for event in events), *(event.on_behalf_of for event in events)])
    last = found.events[-1].recorded_at if found.events else None
    return AuditPage(tuple(event_entry(event, names) for event in events), reached, last)
