"""The exceptions queue: views by harm in pages by key, counters by kind, and everything about one item."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from authorisation.domain.principal import Principal
from journal.selectors import stream_records
from kernel.errors import Invalid, NotFound
from operations.domain.exception_history import Told, describe
from operations.domain.exception_kinds import kind_of
from operations.domain.exception_states import OPEN, RESTING
from operations.domain.working_clock import Pause, WorkClock
from operations.models import ExceptionItem
from operations.selectors.audit.timeline import names_of_actors
from operations.selectors.clocks import Clocks
from operations.selectors.frame import visible_exceptions

PAGE = 200
Place = TypeVar("Place")
VIEWS = {"mine": "Mine", "unassigned": "Unassigned", "all": "All", "snoozed": "Snoozed and waiting", "closed": "Closed"}


@dataclass(frozen=True, slots=True)
class Filters:
    """What narrows a view: a kind, a label, a piece of the sentence's subject."""

    kind: str = ""
    label: str = ""

    @property
    def query(self) -> str:
        """As the address holds it."""
        return "".join(f"&{name}={value}" for name, value in (("kind", self.kind), ("label", self.label)) if value)


@dataclass(frozen=True, slots=True)
class Listed:
    """At most 200 items; ``more`` is the key of the next page, empty on the last."""

    items: list[ExceptionItem]
    more: str


@dataclass(frozen=True, slots=True)
class Counted:
    """Open items by view, and of the view asked for by kind, most first."""

    views: Mapping[str, int]
    kinds: list[tuple[str, str, int]]


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One event of the item's stream in words."""

    at: datetime
    who: str
    told: Told


def list_exceptions(
    *, actor: Principal, view: str, filters: Filters | None = None, after: str = "", limit: int = PAGE
) -> Listed:
    """Open views worst first by harm, the closed ones latest first. Raises Invalid VIEW_UNKNOWN, CURSOR_INVALID."""
    items = _narrowed(_in_view(actor, view), filters or Filters()).select_related("desk", "owner")
    if view == "closed":
        items = items.order_by("-closed_at", "id")
        if after:
            at, key = _read_cursor(after, datetime.fromisoformat)
            items = items.filter(Q(closed_at__lt=at) | Q(closed_at=at, id__gt=key))
    else:
        items = items.order_by("-harm", "id")
        if after:
            figure, key = _read_cursor(after, Decimal)
            items = items.filter(Q(harm__lt=figure) | Q(harm=figure, id__gt=key))
    found = list(items[: limit + 1])
    shown = found[:limit]
    return Listed(shown, _cursor(shown[-1], view) if len(found) > limit else "")


def count_exceptions(*, actor: Principal, view: str) -> Counted:
    """One statement over the open items the actor may see."""
    open_items = visible_exceptions(actor).filter(state__in=OPEN)
    counts = {
        "all": Count("id"),
        "mine": Count("id", filter=Q(owner_id=actor.user_id)),
        "unassigned": Count("id", filter=Q(owner=None)),
        "snoozed": Count("id", filter=Q(state__in=RESTING)),
    }
    rows: list[dict[str, Any]] = [dict(row) for row in open_items.values("kind").annotate(**counts).order_by("kind")]
    views = {name: sum(int(row[name]) for row in rows) for name in counts}
    chosen = view if view in counts else "all"
    kinds = [(str(row["kind"]), kind_of(str(row["kind"])).title, int(row[chosen])) for row in rows if row[chosen]]
    return Counted(views, sorted(kinds, key=lambda one: (-one[2], one[1])))


def get_exception(*, actor: Principal, item_id: UUID) -> ExceptionItem:
    """One item, or NotFound when it does not exist for the actor."""
    people = ("desk", "owner", "ended_by", "seen_by", "seen_again_by")
    item = visible_exceptions(actor).select_related(*people).filter(pk=item_id).first()
    if item is None:
        raise NotFound("EXCEPTION_UNKNOWN", "There is no such exception that you may see.")
    return item


@dataclass(frozen=True, slots=True)
class Aged:
    """How an item stands on its clock."""

    clock: WorkClock
    pauses: tuple[Pause, ...]


def get_age(item: ExceptionItem, *, at: datetime) -> Aged:
    """The clock of the item, and where it stood or will stand until the deadline or now."""
    clock = Clocks().of(item.about, group=item.owner_group, market=item.market)
    until = item.closed_at or max(at, item.due_at or at)
    return Aged(clock, clock.pauses(item.ages_from or item.raised_at, until))


def list_history(item: ExceptionItem) -> list[HistoryLine]:
    """What happened to the item, oldest first."""
    events = stream_records(f"exception:{item.pk}")
    names = names_of_actors({event.actor for event in events})
    return [
        HistoryLine(event.event_at, names.get(event.actor, event.actor), describe(event.kind, event.payload))
        for event in events
    ]


def _in_view(actor: Principal, view: str) -> QuerySet[ExceptionItem]:
    items = visible_exceptions(actor)
    if view == "closed":
        return items.exclude(state__in=OPEN)
    items = items.filter(state__in=OPEN)
    if view == "mine":
        return items.filter(owner_id=actor.user_id)
    if view == "unassigned":
        return items.filter(owner=None)
    if view == "snoozed":
        return items.filter(state__in=RESTING)
    if view == "all":
        return items
    raise Invalid("VIEW_UNKNOWN", f"Exceptions have the views {', '.join(VIEWS.values())}.")


def _narrowed(items: QuerySet[ExceptionItem], filters: Filters) -> QuerySet[ExceptionItem]:
    if filters.kind:
        items = items.filter(kind=filters.kind)
    if filters.label:
        items = items.filter(labels__contains=[filters.label])
    return items


def _cursor(item: ExceptionItem, view: str) -> str:
    place = item.closed_at.isoformat() if view == "closed" and item.closed_at else str(item.harm)
    return f"{place}~{item.pk}"


def _read_cursor(text: str, read: Callable[[str], Place]) -> tuple[Place, UUID]:
    place, _, key = text.partition("~")
    try:
        return read(place), UUID(key)
    except (ValueError, InvalidOperation) as error:
        raise Invalid("CURSOR_INVALID", "That is not the key of a page.", {"after": ["Unknown."]}) from error
