"""Refuse a client's instruction that cannot be worked: its records count no more, the client is told why, and so is a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from accounts.models import TradingAccount
from allocations.domain.instructed import Fault, fault_in, is_whole
from allocations.models import CounterpartyRecord
from allocations.services._confirming import ACTOR
from journal.bulk import update_rows
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from kernel.post_trade import AccountLine, MessageKind, PostTradeMessage, TransType, from_json

INSTRUCTION_REFUSED = "INSTRUCTION_REFUSED"
INSTRUCTION = MessageKind.ALLOCATION_INSTRUCTION.value


@dataclass(slots=True)
class Weighed:
    """Of the instructions looked at, by their name: what is wrong with them, and of which not all has come."""

    refused: dict[str, Fault] = field(default_factory=dict)
    partial: set[str] = field(default_factory=set)


def weigh_instructions(counterparty: str, record_ids: Collection[UUID], *, at: datetime) -> Weighed:
    """Look at the instructions among these new records, each with all that came of it. The caller holds the counterparty."""
    fresh = CounterpartyRecord.objects.filter(id__in=record_ids, kind=INSTRUCTION)
    refs = set(fresh.exclude(trans_type=TransType.CANCEL.value).values_list("their_ref", flat=True))
    weighed = Weighed()
    if not refs:
        return weighed
    whole: dict[str, list[CounterpartyRecord]] = defaultdict(list)
    rows = CounterpartyRecord.objects.filter(counterparty=counterparty, kind=INSTRUCTION, their_ref__in=refs)
    for row in rows.order_by("received_at", "id"):
        whole[row.their_ref].append(row)
    said = {ref: [from_json(row.says) for row in group] for ref, group in whole.items()}
    named = {line.account for messages in said.values() for message in messages for line in message.accounts}
    known = set(TradingAccount.objects.filter(code__in=named).values_list("code", flat=True))
    for ref, messages in said.items():
        lines = _lines(messages)
        if not is_whole(came=len(lines), total=messages[-1].total_accounts):
            weighed.partial.add(ref)
            continue
        fault = fault_in(messages[-1].qty, lines, known)
        if fault is not None:
            weighed.refused[ref] = fault
            _refuse(whole[ref], fault, at)
    return weighed


def _lines(messages: Collection[PostTradeMessage]) -> list[AccountLine]:
    """Its accounts, each as it was said last: what is repeated is not another."""
    found = {(line.ref, line.account): line for message in messages for line in message.accounts}
    return list(found.values())


def _refuse(rows: Collection[CounterpartyRecord], fault: Fault, at: datetime) -> None:
    state, why = CounterpartyRecord.State.SUPERSEDED.value, f"We refused it: {fault.sentence}"
    update_rows(
        CounterpartyRecord,
        [(row.id, state, True, why) for row in rows],
        key=("id",),
        fields=("state", "by_hand", "why"),
    )
    first = next(iter(rows))
    anomaly = Anomaly(
        kind=INSTRUCTION_REFUSED, severity=Severity.MEDIUM, subject_type="counterparty", subject_id=first.counterparty,
        sentence=f"We refused the allocation instruction {first.their_ref} of {first.counterparty}: {fault.sentence}"[:1000],
        dedupe_key=f"instruction-refused:{first.counterparty}:{first.their_ref}",
        evidence={"counterparty": first.counterparty, "instruction": first.their_ref, "code": fault.code},
    )  # fmt: skip
    raise_anomaly(anomaly=anomaly, actor=ACTOR.actor, at=at)
