"""What a person must look at in confirming, as standing matters: raised when it begins, cleared when it has gone.

One matter a block, not one a confirmation: a faulty file of a counterparty is one fault. The confirmations page is the list.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.models import Block, Confirmation, CounterpartyRecord
from allocations.services._confirming import ACTOR
from journal.domain.records import Anomaly, Severity
from journal.services.raise_anomaly import raise_anomaly
from journal.services.set_anomaly import set_anomaly
from kernel.post_trade import MessageKind

CONFIRMATION_MISMATCH, CONFIRMATION_REJECTED = "CONFIRMATION_MISMATCH", "CONFIRMATION_REJECTED"
CONFIRMATION_UNPAIRED, CONFIRMATION_DISPUTED = "CONFIRMATION_UNPAIRED", "CONFIRMATION_DISPUTED"
CONFIRMATION_UNDONE = "CONFIRMATION_UNDONE"
SHOWN = 50
_KINDS = {
    moves.MISMATCHED: (CONFIRMATION_MISMATCH, "differ from what {party} says"),
    moves.REJECTED: (CONFIRMATION_REJECTED, "were rejected by {party}"),
}


def watch_blocks(block_ids: Collection[UUID], *, at: datetime) -> None:
    """Raise what is wrong with the confirmations of these blocks now, clear what no longer is."""
    blocks = Block.objects.in_bulk(list(block_ids))
    found: dict[tuple[UUID, str], list[tuple[str, str, str]]] = defaultdict(list)
    rows = Confirmation.objects.filter(allocation__block_id__in=blocks, state__in=_KINDS).order_by("ref")
    for block_id, state, *said in rows.values_list(
        "allocation__block_id", "state", "ref", "counterparty", "reason", named=False
    ):
        found[block_id, state].append((said[0], said[1], said[2]))
    for block in blocks.values():
        for state in _KINDS:
            _watch(block, state, found.get((block.id, state), []), at)


def _watch(block: Block, state: str, rows: list[tuple[str, str, str]], at: datetime) -> None:
    kind, words = _KINDS[state]
    first = rows[0] if rows else ("", "", "")
    sentence = (
        f"{len(rows)} confirmations of {block.ref} {words.format(party=first[1])}: {first[0]}, {first[2]}"
        if rows
        else f"No confirmation of {block.ref} is {state} any more."
    )
    anomaly = Anomaly(
        kind=kind, severity=Severity.MEDIUM, subject_type="block", subject_id=block.ref, sentence=sentence[:1000],
        dedupe_key=f"{kind.lower().replace('_', '-')}:{block.id}",
        evidence={
            "block": block.ref, "desk_id": block.desk_id, "confirmations": [list(row) for row in rows[:SHOWN]],
            "count": len(rows),
        },
    )  # fmt: skip
    set_anomaly(anomaly=anomaly, wrong=bool(rows), actor=ACTOR.actor, at=at)


def watch_unpaired(counterparty: str, *, at: datetime) -> None:
    """Whether confirmations or reports of the counterparty pair with nothing of ours."""
    kinds = (MessageKind.CONFIRMATION.value, MessageKind.ALLOCATION_REPORT.value)
    rows = CounterpartyRecord.objects.filter(
        counterparty=counterparty, state=CounterpartyRecord.State.UNPAIRED, kind__in=kinds
    )
    shown = list(rows.order_by("received_at", "id").values_list("their_ref", "why")[:SHOWN])
    sentence = (
        f"What {counterparty} says pairs with nothing of ours: {shown[0][0]}. {shown[0][1]}"
        if shown
        else f"Everything {counterparty} says has found its confirmation."
    )
    anomaly = Anomaly(
        kind=CONFIRMATION_UNPAIRED, severity=Severity.MEDIUM, subject_type="counterparty", subject_id=counterparty,
        sentence=sentence[:1000], dedupe_key=f"confirmation-unpaired:{counterparty}",
        evidence={"counterparty": counterparty, "records": [list(row) for row in shown]},
    )  # fmt: skip
    set_anomaly(anomaly=anomaly, wrong=bool(shown), actor=ACTOR.actor, at=at)


def dispute(row: Confirmation, sentence: str, *, record_id: UUID, at: datetime) -> None:
    """The counterparty says something else of what both had agreed on: a person settles it."""
    anomaly = Anomaly(
        kind=CONFIRMATION_DISPUTED, severity=Severity.HIGH, subject_type="confirmation", subject_id=row.ref,
        sentence=f"{row.ref} is affirmed, and {row.counterparty} now says something else. {sentence}"[:1000],
        dedupe_key=f"confirmation-disputed:{row.id}:{sha256(sentence.encode()).hexdigest()[:12]}",
        evidence={"confirmation": row.ref, "counterparty": row.counterparty, "record": str(record_id)},
    )  # fmt: skip
    set_anomaly(anomaly=anomaly, wrong=True, actor=ACTOR.actor, at=at)


def refuse_cancel(counterparty: str, message_ref: str, said: str, *, record_id: UUID, at: datetime) -> None:
    """The counterparty does not take back what we canceled."""
    anomaly = Anomaly(
        kind=CONFIRMATION_UNDONE, severity=Severity.HIGH, subject_type="counterparty", subject_id=counterparty,
        sentence=f"{counterparty} does not cancel {message_ref}. {said}"[:1000], dedupe_key=f"cancel-refused:{record_id}",
        evidence={"counterparty": counterparty, "message": message_ref, "record": str(record_id)},
    )  # fmt: skip
    raise_anomaly(anomaly=anomaly, actor=ACTOR.actor, at=at)


def tell_undone(block: Block, rows: Collection[Confirmation], *, why: str, at: datetime) -> None:
    """What both sides had agreed on was undone: the counterparty must agree to that as well."""
    refs = sorted(row.ref for row in rows)
    last = max(str(row.event_id) for row in rows)
    sentence = (
        f"{len(refs)} affirmed confirmations of {block.ref} were canceled ({why}); agree it with the counterparty: "
        f"{', '.join(refs[:5])}."
    )
    anomaly = Anomaly(
        kind=CONFIRMATION_UNDONE, severity=Severity.HIGH, subject_type="block", subject_id=block.ref,
        sentence=sentence,
        dedupe_key=f"confirmation-undone:{block.id}:{last}",
        evidence={"block": block.ref, "desk_id": block.desk_id, "confirmations": refs[:SHOWN], "count": len(refs)},
    )  # fmt: skip
    raise_anomaly(anomaly=anomaly, actor=ACTOR.actor, at=at)
