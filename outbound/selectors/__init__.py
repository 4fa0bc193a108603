"""Events of the journal as an outsider may hear them: behind the horizon, in order, in bounded work."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from journal.domain.records import EventRecord
from journal.selectors.events import list_events_after
from orders.selectors.labels import find_order_labels
from outbound.domain.contracts import journal_kinds
from outbound.domain.fields import ContractBroken
from outbound.domain.telling import Listener, Told, order_of, tell

LOOK = 500
MOST_LOOKS = 4


class Breach(NamedTuple):
    """An event that does not keep its contract, and what is wrong with it. It is told to nobody outside."""

    event: EventRecord
    fault: str


class Telling(NamedTuple):
    """An event behind the reader's place; ``told`` is None when it is not for this listener."""

    event: EventRecord
    told: Told | None


class Page(NamedTuple):
    """``position``: everything up to it was looked at. ``more``: there is more to look at now."""

    events: list[Told]
    position: int
    more: bool
    breaches: list[Breach]


def tell_all(records: Sequence[EventRecord], listener: Listener) -> tuple[list[Telling], list[Breach]]:
    """Each event as the listener hears it, with the labels of all of them read in one statement."""
    labels = find_order_labels({order for record in records if (order := order_of(record)) is not None})
    tellings: list[Telling] = []
    breaches: list[Breach] = []
    for record in records:
        try:
            tellings.append(Telling(record, tell(record, labels, listener)))
        except ContractBroken as broken:
            tellings.append(Telling(record, None))
            breaches.append(Breach(record, str(broken)))
    return tellings, breaches


def get_page(*, listener: Listener, after: int, limit: int, kinds: Collection[str] | None, up_to: int) -> Page:
    """Up to ``limit`` events for the listener in ``(after, up_to]``, of the outbound ``kinds`` (all when None).

    ``up_to`` is a horizon: nothing can appear below it any more.

    Looks at no more than 2,000 events of the journal: whoever may hear little gets empty pages that move on.
    """
    wanted = journal_kinds(frozenset(kinds) if kinds is not None else None)
    reached = after
    events: list[Told] = []
    breaches: list[Breach] = []
    for _ in range(MOST_LOOKS):
        records = list_events_after(reached, limit=LOOK, kinds=wanted, up_to=up_to)
        tellings, found = tell_all(records, listener)
        for telling in tellings:
            reached = telling.event.position
            if telling.told is not None:
                events.append(telling.told)
            if len(events) == limit:
                breaches += [breach for breach in found if breach.event.position <= reached]
                return Page(events, reached, True, breaches)
        breaches += found
        if len(records) < LOOK:
            return Page(events, max(up_to, reached), False, breaches)
    return Page(events, reached, True, breaches)
