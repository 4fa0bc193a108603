"""What time alone does to exceptions: snoozes end, and what nobody dealt with escalates. A sweeper; run twice it does nothing."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from journal.services.append_to_stream import append_to_stream
from operations.domain.exception_rank import HEAD, LEVELS, share_of
from operations.domain.exception_states import SNOOZED
from operations.domain.exception_timing import timing_of
from operations.locks import lock_due_exceptions
from operations.models import ExceptionItem
from operations.selectors.clocks import Clocks
from operations.services._exception_events import ESCALATED, PROCESS, RESUMED, event_draft

MOST = 500
CHANGED = ("state", "level", "due_at", "next_at", "harm", "snoozed_until")


def watch_exceptions(*, at: datetime) -> int:
    """How many items moved; at most 500 a turn, so that a backlog is worked in bites."""
    with transaction.atomic():
        items = lock_due_exceptions(at, limit=MOST)
        clocks, drafts = Clocks(), []
        for item in items:
            for kind, payload in _moved(item, clocks, at):
                drafts.append(event_draft(item, kind, payload, actor=PROCESS, at=at))
        ExceptionItem.objects.bulk_update(items, CHANGED, batch_size=MOST)
        if drafts:
            append_to_stream(drafts=drafts, at=at)
    return len(items)


def _moved(item: ExceptionItem, clocks: Clocks, at: datetime) -> list[tuple[str, dict[str, object]]]:
    """Bring one item to where time has it; what is to be told of it. Levels nobody could act between are told once."""
    told: list[tuple[str, dict[str, object]]] = []
    if item.state == SNOOZED and item.snoozed_until is not None and item.snoozed_until <= at:
        item.review()
        item.snoozed_until = None
        told.append((RESUMED, {"owner_id": item.owner_id, "why": "its time is over"}))
    clock = clocks.of(item.about, group=item.owner_group, market=item.market)
    ages_from, sla = item.ages_from or item.raised_at, item.about.sla.of(item.severity)
    before = item.level
    while item.level < HEAD and clock.deadline(ages_from, share_of(sla, item.level + 1)) <= at:
        item.level += 1
    timing = timing_of(
        item.about, severity=item.severity, ages_from=ages_from, clock=clock, level=item.level, exposure=item.exposure,
        snoozed_until=item.snoozed_until,
    )  # fmt: skip
    item.due_at, item.next_at, item.harm = timing.due_at, timing.next_at, timing.harm
    if item.level != before:
        told.append((ESCALATED, {"to": LEVELS[item.level]}))
    return told
