"""Turn what happens to exceptions into notices: one line a person, kind and minute, with its count.

Listener of the exception events, behind its own cursor; nobody who works on an item waits for it. Idempotent by position: a
notice remembers the last event it counted. Whoever may not see the item is told nothing, and nobody is told of their own act.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from uuid import UUID

from django.conf import settings

from authorisation.domain.principal import Principal
from authorisation.models import User
from authorisation.selectors import get_principals
from journal.bulk import one_transaction
from journal.domain.records import EventRecord
from kernel.ids import new_id
from operations.domain.exception_rank import worse
from operations.domain.notices import Call, call_of, wants
from operations.locks import lock_notices
from operations.models import Notice, NoticeChoice
from orders.permissions import can_see, visible_desks
from risk.domain.conduct import FOR_COMPLIANCE_ALONE
from risk.permissions import SEE_RESTRICTIONS

GATHERED = timedelta(seconds=60)
"""How long a mail waits for what else belongs in it."""
CHANGED = ("count", "severity", "last_at", "last_position", "item_id", "seen_at")


def handle(events: Sequence[EventRecord]) -> None:
    """Tell the events in their order, in the transaction of the cursor."""
    calls = [(event, call) for event in events if (call := call_of(event.kind, event.payload, at=event.event_at))]
    if not calls:
        return
    with one_transaction():
        people = _People(call for _, call in calls)
        heard: dict[tuple[int, str], list[tuple[EventRecord, Call]]] = defaultdict(list)
        for event, call in calls:
            for user_id in people.of(call, event):
                heard[user_id, call.topic].append((event, call))
        _write(heard, people)


class _People:
    """Who may be told, read once a slice: everybody the calls name or whose group they name."""

    def __init__(self, calls: Iterable[Call]) -> None:
        wanted = list(calls)
        people = User.objects.filter(is_active=True, kind=User.Kind.PERSON)
        ids = {user_id for call in wanted for user_id in call.users}
        groups = {call.group for call in wanted if call.group}
        names = {name for call in wanted for name in call.names}
        members = people.filter(groups__name__in=groups).values_list("pk", "groups__name")
        self.members: dict[str, set[int]] = defaultdict(set)
        for user_id, group in members:
            self.members[group].add(user_id)
        named = [user for user in people if user.username.lower() in names] if names else []
        self.named = {user.username.lower(): user.pk for user in named}
        ids |= {user.pk for user in named} | {user_id for found in self.members.values() for user_id in found}
        self.users = {user.pk: user for user in people.filter(pk__in=ids)}
        self.principals = {one.user_id: one for one in get_principals(list(self.users.values()))}
        self.choices = {choice.user_id: choice for choice in NoticeChoice.objects.filter(user_id__in=self.users)}

    def of(self, call: Call, event: EventRecord) -> list[int]:
        """Whom the call reaches: addressed, may see the item, did not do it, and wants to know."""
        addressed = (
            set(call.users)
            | self.members.get(call.group, set())
            | {self.named[n] for n in call.names if n in self.named}
        )
        return sorted(
            user_id
            for user_id in addressed
            if (principal := self.principals.get(user_id)) is not None
            and principal.actor != event.actor
            and _sees(principal, event)
            and self._wants(user_id, call)
        )

    def mails(self, user_id: int) -> bool:
        """Whether the person's notices go by mail as well."""
        choice = self.choices.get(user_id)
        return bool(settings.MAIL_HOST and choice is not None and choice.mail and self.users[user_id].email)

    def _wants(self, user_id: int, call: Call) -> bool:
        choice = self.choices.get(user_id) or NoticeChoice(user_id=user_id)
        return wants(call.about, call.severity, least=choice.least, muted=tuple(choice.muted), kind=call.kind)


def _sees(principal: Principal, event: EventRecord) -> bool:
    """As ``visible_exceptions`` has it, from what the event says of the item."""
    said = event.payload
    if said.get("kind") in FOR_COMPLIANCE_ALONE and SEE_RESTRICTIONS not in principal.rights:
        return False
    desk_id, group_id = said.get("desk_id"), said.get("account_group_id")
    if said.get("order_id"):
        return desk_id is not None and group_id is not None and can_see(principal, desk_id=desk_id, group_id=group_id)
    return desk_id is None or desk_id in visible_desks(principal)


def _write(heard: dict[tuple[int, str], list[tuple[EventRecord, Call]]], people: _People) -> None:
    known = lock_notices(heard)
    made, changed = [], []
    for (user_id, topic), told in heard.items():
        notice = known.get((user_id, topic))
        fresh = [(event, call) for event, call in told if notice is None or event.position > notice.last_position]
        if not fresh:
            continue
        if notice is None:
            first, call = fresh[0]
            notice = Notice(
                id=new_id(),
                user_id=user_id,
                topic=topic,
                about=call.about,
                kind=call.kind,
                severity=call.severity,
                count=0,
                first_at=first.event_at,
                mail_due_at=first.recorded_at + GATHERED if people.mails(user_id) else None,
            )
            made.append(notice)
        else:
            changed.append(notice)
        for event, call in fresh:
            notice.count += 1
            notice.severity = worse(notice.severity, call.severity)
            notice.last_at, notice.last_position = event.event_at, event.position
            notice.item_id, notice.seen_at = UUID(event.payload["exception_id"]), None
    Notice.objects.bulk_create(made, batch_size=500)
    Notice.objects.bulk_update(changed, CHANGED, batch_size=500)
