"""What every act of a person on an exception shares: may they, is it the item they saw, is it theirs; then one event.

Two acts at once: the row is locked, the second one's version is of before and it is told so. An act on what ended is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.models import User
from authorisation.selectors import get_principal
from kernel.errors import Conflict, Invalid, NotFound, Refused
from operations.domain.exception_timing import timing_of
from operations.locks import lock_exception
from operations.models import ExceptionItem
from operations.permissions import WORK_EXCEPTION, require_work
from operations.selectors.clocks import Clocks
from operations.selectors.frame import visible_exceptions
from operations.services._exception_events import record

MOST_TEXT = 2000
MOST_BEFORE = 10


@dataclass(frozen=True, slots=True)
class Acted:
    """The item after an act: its new version, and in words what came of it."""

    item_id: UUID
    version: int
    sentence: str


@contextmanager
def acting(
    *, actor: Principal, at: datetime, item_id: UUID, version: int | None, counts: bool = True
) -> Iterator[ExceptionItem]:
    """The item, locked in a transaction of its own, to be changed in the block and saved with the next version.

    ``version`` None: whatever it is now. Not ``counts``: it adds to a history and contradicts nobody. Raises NotPermitted RIGHT_MISSING,
    NotFound EXCEPTION_UNKNOWN, Conflict EXCEPTION_ENDED or EXCEPTION_MOVED.
    """
    require_work(actor)
    with transaction.atomic():
        item = lock_exception(item_id)
        if item is None or not visible_exceptions(actor).filter(pk=item_id).exists():
            raise NotFound("EXCEPTION_UNKNOWN", "There is no such exception that you may see.")
        if not item.is_open:
            raise Conflict("EXCEPTION_ENDED", f"It has ended: {item.get_state_display().lower()}.")
        if version is not None and version != item.version:
            raise Conflict(
                "EXCEPTION_MOVED", "Somebody acted on it since you saw it. Look at it again.", {"version": item.version}
            )
        item.version += 1 if counts else 0
        yield item
        item.save()


def told(
    item: ExceptionItem, kind: str, payload: Mapping[str, Any], *, actor: Principal, at: datetime, sentence: str
) -> Acted:
    """Record the act in the item's history."""
    record(item, kind, payload, actor=actor.actor, at=at, on_behalf_of=actor.on_behalf_of)
    return Acted(item.pk, item.version, sentence)


def own(item: ExceptionItem, actor: Principal) -> None:
    """Make sure that the actor owns the item: one that nobody owns becomes theirs. Raises Refused EXCEPTION_OWNED."""
    if item.owner_id == actor.user_id:
        return
    if item.owner is not None:
        sentence = f"{item.owner.username} works on it. Take it first, or ask for it to be handed to you."
        raise Refused("EXCEPTION_OWNED", sentence, {"owner": item.owner.username})
    give(item, User.objects.get(pk=actor.user_id), item.owner_group)


def give(item: ExceptionItem, owner: User | None, group: str) -> None:
    """The item's owner and group from now on; who had it before is kept, so that it can be handed back."""
    had = {"owner": item.owner_id, "group": item.owner_group}
    if had != {"owner": owner.pk if owner else None, "group": group}:
        item.before = [*item.before, had][-MOST_BEFORE:]
    item.owner, item.owner_group = owner, group
    rank(item)


def rank(item: ExceptionItem) -> None:
    """Deadline, next alarm and place in the queue, as the item is now."""
    timing = timing_of(
        item.about,
        severity=item.severity,
        ages_from=item.ages_from or item.raised_at,
        clock=Clocks().of(item.about, group=item.owner_group, market=item.market),
        level=item.level,
        exposure=item.exposure,
        snoozed_until=item.snoozed_until,
    )
    item.due_at, item.next_at, item.harm = timing.due_at, timing.next_at, timing.harm


def wanted_text(text: str, *, least: int, name: str, sentence: str) -> str:
    """A text a person has to give. Raises Invalid TEXT_MISSING with ``sentence``, TEXT_TOO_LONG."""
    text = text.strip()
    if len(text) < least:
        raise Invalid("TEXT_MISSING", sentence, {name: [sentence]})
    if len(text) > MOST_TEXT:
        long = f"At most {MOST_TEXT} characters."
        raise Invalid("TEXT_TOO_LONG", long, {name: [long]})
    return text


def person_who_may(item: ExceptionItem, username: str) -> User:
    """An active person who sees the item and works on exceptions. Raises Invalid OWNER_UNSUITABLE."""
    user = User.objects.filter(username__iexact=username.strip(), is_active=True, kind=User.Kind.PERSON).first()
    principal = get_principal(user) if user is not None else None
    if user is None or principal is None or WORK_EXCEPTION not in principal.rights or not sees(principal, item):
        sentence = f"{username.strip()[:60] or 'Nobody'} is no person who may see this and work on it."
        raise Invalid("OWNER_UNSUITABLE", sentence, {"owner": [sentence]})
    return user


def sees(principal: Principal, item: ExceptionItem) -> bool:
    """Whether the item exists for somebody."""
    return visible_exceptions(principal).filter(pk=item.pk).exists()
