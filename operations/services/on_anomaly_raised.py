"""Keep one open exception item for each matter that rooms below raise, and end it when they say it is settled.

Idempotent by event id: an event already in the item's history changes nothing. A slice is worked as a whole: its matters are
read and locked once, changed in memory in the order of the events, and written once, so that a storm costs few statements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from journal.bulk import one_transaction
from journal.domain.chain import EventDraft
from journal.domain.records import ANOMALY_CLEARED, ANOMALY_RAISED, EventRecord
from journal.models import Event
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from operations.domain.exception_kinds import kind_of
from operations.domain.exception_rank import worse
from operations.domain.exception_states import FORCE_CLOSED, SNOOZED
from operations.domain.exception_timing import aged_since, stated_exposure, timing_of
from operations.locks import lock_open_matters
from operations.models import ExceptionItem
from operations.selectors.clocks import Clocks
from operations.services._exception_events import CLEARED, OPENED, PROCESS, WORSENED, event_draft
from orders.models import Order

KEPT_SOURCES = 200
CHANGED = (
    "state", "severity", "sentence", "evidence", "occurrences", "sources", "last_seen_at", "exposure", "currency", "due_at", "harm",
    "next_at", "snoozed_until", "closed_at", "closing_sentence",
)  # fmt: skip


class _Order(NamedTuple):
    order_id: UUID
    desk_id: int
    market: str
    group_id: int


def handle(events: Sequence[EventRecord]) -> None:
    """Apply AnomalyRaised and AnomalyCleared in their order, in the transaction of the cursor."""
    with one_transaction():
        slice_ = _Slice(events)
        for event in events:
            if event.kind == ANOMALY_RAISED:
                slice_.raised(event)
            elif event.kind == ANOMALY_CLEARED:
                slice_.cleared(event)
        slice_.write()


class _Slice:
    """The items of some events, as they become."""

    def __init__(self, events: Sequence[EventRecord]) -> None:
        keys = {event.payload["dedupe_key"] for event in events}
        self.open = lock_open_matters(keys)
        past = ExceptionItem.objects.filter(dedupe_key__in=keys).order_by("id")
        rows = list(past.values_list("dedupe_key", "sources", "state"))
        self.known = {source for _, sources, _ in rows for source in sources}
        latest = {key: state for key, _, state in rows}
        self.forced = {key for key, state in latest.items() if state == FORCE_CLOSED}
        self.first_seqs = dict(
            Event.objects.filter(id__in=[item.first_event_id for item in self.open.values()]).values_list("id", "seq")
        )
        self.orders = _orders_of(events)
        self.clocks = Clocks()
        self.made: list[ExceptionItem] = []
        self.changed: dict[UUID, ExceptionItem] = {}
        self.drafts: list[EventDraft] = []

    def raised(self, event: EventRecord) -> None:
        """A new item, or one time more of the open one."""
        if str(event.id) in self.known:
            return
        self.known.add(str(event.id))
        item = self.open.get(event.payload["dedupe_key"])
        if item is None:
            self._begin(event)
        else:
            self._again(item, event)

    def cleared(self, event: EventRecord) -> None:
        """The open item ends, unless it began after this was said."""
        item = self.open.get(event.payload["dedupe_key"])
        if item is None or not self._began_before(item, event):
            return
        if item in self.made:
            self.write()  # every item begins unreviewed: it is there before it ends
        item.clear()
        item.closed_at, item.closing_sentence = event.event_at, event.payload["sentence"]
        item.next_at = item.snoozed_until = None
        item.sources = [*item.sources, str(event.id)][-KEPT_SOURCES:]
        del self.open[item.dedupe_key]
        self.changed[item.pk] = item
        self._note(item, CLEARED, event, {"sentence": item.closing_sentence})

    def write(self) -> None:
        """What ends before what begins: of a matter only one item is ever open."""
        ExceptionItem.objects.bulk_update(self.changed.values(), CHANGED, batch_size=500)
        ExceptionItem.objects.bulk_create(self.made, batch_size=500)
        if self.drafts:
            append_to_stream(drafts=self.drafts, at=max(draft.received_at for draft in self.drafts))
        self.made, self.changed, self.drafts = [], {}, []

    def _begin(self, event: EventRecord) -> None:
        anomaly = event.payload
        about = kind_of(anomaly["kind"])
        order = self.orders.get(anomaly["subject_id"]) if anomaly["subject_type"] == "order" else None
        exposure, currency = stated_exposure(anomaly["evidence"])
        item = ExceptionItem(
            id=new_id(),
            kind=anomaly["kind"],
            subject=f"{anomaly['subject_type']} {anomaly['subject_id']}",
            order_id=order.order_id if order else _uuid_of(anomaly),
            desk_id=order.desk_id if order else None,
            severity=anomaly["severity"],
            sentence=anomaly["sentence"],
            evidence=anomaly["evidence"],
            dedupe_key=anomaly["dedupe_key"],
            owner_group=about.group,
            first_event_id=event.id,
            sources=[str(event.id)],
            raised_at=event.event_at,
            last_seen_at=event.event_at,
            exposure=exposure,
            currency=currency,
            ages_from=aged_since(about, anomaly["evidence"], event_at=event.event_at),
            clock=about.clock.value,
            market=order.market if order else "",
            account_group_id=order.group_id if order else None,
            came_back=anomaly["dedupe_key"] in self.forced,
        )
        self._time(item)
        self.made.append(item)
        self.open[item.dedupe_key] = item
        self.first_seqs[event.id] = event.seq
        self.forced.discard(item.dedupe_key)
        self._note(item, OPENED, event, {"came_back": item.came_back, "dedupe_key": item.dedupe_key})

    def _again(self, item: ExceptionItem, event: EventRecord) -> None:
        anomaly = event.payload
        item.occurrences += 1
        item.last_seen_at = max(item.last_seen_at, event.event_at)
        item.sentence, item.evidence = anomaly["sentence"], anomaly["evidence"]
        item.exposure, item.currency = stated_exposure(anomaly["evidence"])
        item.sources = [*item.sources, str(event.id)][-KEPT_SOURCES:]
        severity = worse(item.severity, anomaly["severity"])
        worsened = severity != item.severity
        item.severity = severity
        if worsened and item.state == SNOOZED:
            item.review()
            item.snoozed_until = None
        self._time(item)
        if item not in self.made:
            self.changed[item.pk] = item
        if worsened:
            self._note(item, WORSENED, event, {})

    def _time(self, item: ExceptionItem) -> None:
        clock = self.clocks.of(item.about, group=item.owner_group, market=item.market)
        timing = timing_of(
            item.about,
            severity=item.severity,
            ages_from=item.ages_from or item.raised_at,
            clock=clock,
            level=item.level,
            exposure=item.exposure,
            snoozed_until=item.snoozed_until,
        )
        item.due_at, item.next_at, item.harm = timing.due_at, timing.next_at, timing.harm

    def _note(self, item: ExceptionItem, kind: str, event: EventRecord, payload: dict[str, Any]) -> None:
        at = max(event.event_at, item.raised_at)
        self.drafts.append(event_draft(item, kind, payload, actor=PROCESS, at=at, causation_id=event.id))

    def _began_before(self, item: ExceptionItem, event: EventRecord) -> bool:
        """By their order in the matter's own stream, never by a clock: clocks of two processes differ, and step back."""
        began = self.first_seqs.get(item.first_event_id)
        return began is not None and began < event.seq


def _orders_of(events: Iterable[EventRecord]) -> dict[str, _Order]:
    ids = {found for event in events if (found := _uuid_of(event.payload)) is not None}
    rows = Order.objects.filter(pk__in=ids).values_list("pk", "desk_id", "listing__market_id", "account__group_id")
    return {str(row[0]): _Order(*row) for row in rows}


def _uuid_of(anomaly: dict[str, Any]) -> UUID | None:
    if anomaly.get("subject_type") != "order":
        return None
    try:
        return UUID(anomaly["subject_id"])
    except ValueError:
        return None
