"""A gateway begins: it puts its fence on every session of its group and learns the numbers to go on with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from venues.domain.session_numbers import StoredNumbers, number_after
from venues.locks import lock_group
from venues.models import FixSession, WireMessage
from venues.services.record_session_event import record_session_event


@dataclass(frozen=True, slots=True)
class TakenSession:
    """A session as its new holder finds it. ``adapter`` is the venue's adapter name."""

    name: str
    adapter: str
    epoch: str
    begin_string: str
    sender_comp_id: str
    target_comp_id: str
    host: str
    port: int
    heartbeat_s: int
    wait_s: int
    stored: StoredNumbers


def take_over_sessions(*, group: str, fence: int, at: datetime) -> tuple[TakenSession, ...]:
    """From now on a holder with a lower fence writes nothing more. A session without an epoch gets its first."""
    taken = []
    with transaction.atomic(durable=True):
        for row in lock_group(group=group):
            row.epoch = row.epoch or at.strftime("%Y%m%dT%H%M%S%fZ")
            row.fence, row.state, row.state_at = fence, FixSession.State.CONNECTING, at
            row.state_reason = "A gateway took over and connects."
            row.save(update_fields=["epoch", "fence", "state", "state_at", "state_reason"])
            one = _taken(row)
            taken.append(one)
            detail = {"fence": fence, "epoch": one.epoch, "next_in": one.stored.next_in}
            record_session_event(session=row.name, kind="SessionTakenOver", at=at, detail=detail)
    return tuple(taken)


def _taken(row: FixSession) -> TakenSession:
    return TakenSession(
        name=row.name,
        adapter=row.venue.adapter,
        epoch=row.epoch,
        begin_string=row.begin_string,
        sender_comp_id=row.sender_comp_id,
        target_comp_id=row.target_comp_id,
        host=row.host,
        port=row.port,
        heartbeat_s=row.heartbeat_s,
        wait_s=row.wait_s,
        stored=stored_numbers(row),
    )


def stored_numbers(row: FixSession) -> StoredNumbers:
    """The numbers after the last messages stored. The row itself may be a second old, so the higher counts.

    Inbound the row never runs ahead of the messages: both are written in one transaction.
    """
    numbers = {}
    for direction, kept in (("in", row.next_in), ("out", row.next_out)):
        last = (
            WireMessage.objects.filter(session=row.name, epoch=row.epoch, direction=direction)
            .order_by("-msg_seq_num", "-id")
            .values_list("raw", flat=True)
            .first()
        )
        numbers[direction] = max(kept, number_after(last) if last else 1)
    return StoredNumbers(numbers["in"], numbers["out"])
