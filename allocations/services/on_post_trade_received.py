"""Listener: what a counterparty says by message is kept, paired, matched and answered.

Idempotent: a message is one source, kept once; what is known already moves nothing. Instructions, reports and confirmations speak of
accounts and are matched; acknowledgements speak of a message of ours and move what it carried. A message of ours that came back
(refused by their session, or one that could not be made) is worked as the rejection that it stands for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.domain.confirm_messages import ACKS, CAME_BACK, CANCELED
from allocations.locks import lock_counterparties
from allocations.models import Confirmation, CounterpartyRecord
from allocations.selectors.confirming import standings
from allocations.services._answering import answer_spoken
from allocations.services._confirm_watch import dispute, refuse_cancel, watch_blocks
from allocations.services._confirming import ACTOR, Step, carry_out
from allocations.services._instructions import weigh_instructions
from allocations.services.match_confirmations import match_confirmations
from allocations.services.record_counterparty import Told, record_counterparty
from journal.bulk import update_rows
from journal.domain.records import EventRecord
from kernel.post_trade import AckStatus, MessageKind, PostTradeMessage, from_json

RECEIVED, RETURNED = "PostTradeMessageReceived", "PostTradeMessageReturned"
STANDS_FOR = {
    MessageKind.ALLOCATION_INSTRUCTION: MessageKind.ALLOCATION_ACK,
    MessageKind.ALLOCATION_REPORT: MessageKind.ALLOCATION_REPORT_ACK,
    MessageKind.CONFIRMATION: MessageKind.CONFIRMATION_ACK,
}
"""As which answer a message of ours that came back is worked."""


def handle(events: Sequence[EventRecord]) -> None:
    """Called in one transaction with the cursor, in order of position."""
    by_party: dict[str, list[Told]] = defaultdict(list)
    untaken: list[Told] = []
    for event in events:
        message, origin = from_json(event.payload), event.payload.get("wire_message_id") or event.id
        if event.kind == RECEIVED:
            by_party[message.counterparty].append(Told(message, f"fix:{origin}", event.id))
        elif message.kind in STANDS_FOR:
            answer = replace(message, kind=STANDS_FOR[message.kind], ref="", ref_of=message.ref)
            by_party[message.counterparty].append(Told(answer, f"{CAME_BACK}{origin}", event.id))
        else:
            untaken.append(Told(message, f"{CAME_BACK}{origin}", event.id))
    lock_counterparties({*by_party, *(one.message.counterparty for one in untaken)})
    at = events[-1].recorded_at
    for counterparty, told in sorted(by_party.items()):
        take_records(counterparty, told, at=at)
    for one in untaken:
        _tell_untaken(one, at)


def take_records(counterparty: str, told: Sequence[Told], *, at: datetime) -> int:
    """Keep, match and answer what is new. The caller holds the counterparty's lock. Returns how many records are new."""
    spoken = record_counterparty([one for one in told if one.message.kind not in ACKS], at=at)
    acks = [one for one in told if one.message.kind in ACKS]
    kept = set(record_counterparty(acks, at=at))
    if spoken:
        weighed = weigh_instructions(counterparty, spoken, at=at)
        match_confirmations(counterparty=counterparty, record_ids=spoken, at=at)
        answer_spoken(counterparty, spoken, weighed, at=at)
    if kept:
        rows = CounterpartyRecord.objects.filter(id__in=kept).order_by("received_at", "id")
        _heed(counterparty, list(rows), at)
    return len(spoken) + len(kept)


def _heed(counterparty: str, rows: Sequence[CounterpartyRecord], at: datetime) -> None:
    """What an acknowledgement does to the confirmations that its message carried."""
    blocks: set[UUID] = set()
    for row in rows:
        message = from_json(row.says)
        if message.ref_of.endswith(CANCELED):  # the answer to a cancel of ours: what it undid stands no more
            row.state = CounterpartyRecord.State.PAIRED
            if message.ack_status is AckStatus.REJECTED:
                said = _came_back(message) if row.source.startswith(CAME_BACK) else _said(message)
                refuse_cancel(counterparty, message.ref_of, said, record_id=row.id, at=at)
            continue
        about = _about(counterparty, message)
        said = _came_back(message) if row.source.startswith(CAME_BACK) else _said(message)
        row.confirmation = about[0] if len(about) == 1 else None
        row.state = CounterpartyRecord.State.PAIRED if about else CounterpartyRecord.State.UNPAIRED
        row.why = "" if about else f"It answers {message.ref_of or 'nothing'}, which carried nothing that stands."
        blocks |= _move(about, message, said, row.id, at)
    update_rows(
        CounterpartyRecord, [(row.id, row.state, row.confirmation_id, row.why) for row in rows], key=("id",),
        fields=("state", "confirmation_id", "why"),
    )  # fmt: skip
    watch_blocks(blocks, at=at)


def _about(counterparty: str, message: PostTradeMessage) -> list[Confirmation]:
    named = {"ref": message.ref_of} if message.kind is MessageKind.CONFIRMATION_ACK else {"sent_in": message.ref_of}
    rows = Confirmation.objects.filter(counterparty=counterparty, **named).exclude(state=moves.CANCELED)
    return list(rows.order_by("id")) if message.ref_of else []


def _move(
    about: Sequence[Confirmation], message: PostTradeMessage, said: str, record_id: UUID, at: datetime
) -> set[UUID]:
    affirms = message.kind is MessageKind.CONFIRMATION_ACK and message.ack_status is AckStatus.AFFIRMED
    if not affirms and message.ack_status is not AckStatus.REJECTED:
        return set()
    name, reason = ("affirm", "Affirmed by them.") if affirms else ("reject", said)
    target = moves.AFFIRMED if affirms else moves.REJECTED
    steps = []
    for standing in standings(about):
        row = standing.row
        if row.state in moves.sources_of(moves.CONFIRMATION, name):
            steps.append(Step(standing, name, reason=reason))
        elif row.state != target:
            dispute(row, f"It was {row.state}; they say: {reason}", record_id=record_id, at=at)
    carry_out(steps, actor=ACTOR, at=at)
    return {step.standing.line.block_id for step in steps}


def _tell_untaken(told: Told, at: datetime) -> None:
    """Our affirmation did not arrive: we are affirmed, and they do not know it."""
    message = told.message
    records = CounterpartyRecord.objects.filter(
        counterparty=message.counterparty, kind=MessageKind.CONFIRMATION.value, their_ref=message.ref_of
    )
    for row in Confirmation.objects.filter(records__in=records, state=moves.AFFIRMED).distinct().order_by("id"):
        dispute(row, f"Our affirmation did not reach them. {_came_back(message)}", record_id=told.event_id, at=at)


def _came_back(message: PostTradeMessage) -> str:
    return f"It came back: {message.text or message.reject_code}."


def _said(message: PostTradeMessage) -> str:
    return f"They rejected it: {message.text or message.reject_code or 'no reason given'}."
