"""What we say to a counterparty's report or instruction: AT or P, by how all its accounts fared.

An instruction may come before what it allocates is booked: then it is received, and the decision follows when it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.domain.confirm_messages import answer
from allocations.domain.instructed import Fault, code_of
from allocations.models import CounterpartyRecord
from allocations.services._confirming import release
from allocations.services._instructions import INSTRUCTION, Weighed
from kernel.post_trade import AckStatus, MessageKind, TransType, from_json

ANSWERS = {
    MessageKind.ALLOCATION_REPORT.value: MessageKind.ALLOCATION_REPORT_ACK,
    MessageKind.ALLOCATION_INSTRUCTION.value: MessageKind.ALLOCATION_ACK,
}


def answer_spoken(counterparty: str, record_ids: Collection[UUID], weighed: Weighed, *, at: datetime) -> None:
    """AT for each report and P for each instruction among these records."""
    rows = CounterpartyRecord.objects.filter(id__in=record_ids, kind__in=ANSWERS).select_related("confirmation")
    _answer(counterparty, list(rows.order_by("id")), weighed, at)


def answer_booked(counterparty: str, confirmation_ids: Collection[UUID], *, at: datetime) -> None:
    """The decision on instructions that waited for the booking of these: P once more, now that all their accounts are known."""
    ours = CounterpartyRecord.objects.filter(counterparty=counterparty, kind=INSTRUCTION)
    refs = set(ours.filter(confirmation_id__in=confirmation_ids).values_list("their_ref", flat=True))
    if refs:
        rows = ours.filter(their_ref__in=refs, state=CounterpartyRecord.State.PAIRED).select_related("confirmation")
        waiting = set(
            ours.filter(their_ref__in=refs, state=CounterpartyRecord.State.UNPAIRED).values_list("their_ref", flat=True)
        )
        decided = [row for row in rows.order_by("id") if row.their_ref not in waiting]
        _answer(counterparty, decided, Weighed(), at)


def _answer(counterparty: str, rows: Sequence[CounterpartyRecord], weighed: Weighed, at: datetime) -> None:
    by_message: dict[tuple[str, str], list[CounterpartyRecord]] = defaultdict(list)
    for row in rows:
        by_message[row.kind, row.their_ref].append(row)
    messages = []
    for (kind, ref), group in sorted(by_message.items()):
        status, no = _fared(kind, ref, group, weighed)
        said = from_json(group[0].says)
        messages.append(
            answer(
                ANSWERS[kind], status, counterparty=counterparty, ref_of=ref, at=at, text=no.sentence[:200],
                reject_code=no.code, trade_date=said.trade_date, block_ref=said.block_ref,
            )
        )  # fmt: skip
    release(messages, at=at)


def _fared(kind: str, ref: str, group: Sequence[CounterpartyRecord], weighed: Weighed) -> tuple[AckStatus, Fault]:
    """What we say to a message of theirs, and why not, by how its accounts fared."""
    nothing = Fault("", "")
    instructs = kind == MessageKind.ALLOCATION_INSTRUCTION.value
    if group[0].trans_type == TransType.CANCEL:
        return AckStatus.ACCEPTED, nothing
    if instructs and ref in weighed.refused:
        return AckStatus.REJECTED, weighed.refused[ref]
    if instructs and ref in weighed.partial:
        return AckStatus.RECEIVED, nothing
    wrong = [row for row in group if row.confirmation is not None and row.confirmation.state == moves.MISMATCHED]
    if wrong and wrong[0].confirmation is not None:
        found = wrong[0].confirmation
        return AckStatus.REJECTED, Fault(code_of(found.differences[0][0]) if instructs else "", found.reason)
    if any(row.confirmation is None for row in group):
        if instructs:
            return AckStatus.RECEIVED, nothing  # what it allocates may not be booked yet
        return AckStatus.REJECTED, Fault("", next(row.why for row in group if row.confirmation is None))
    return AckStatus.ACCEPTED, nothing
