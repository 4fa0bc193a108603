"""Sweeper: instructions that wait and whose time has come are sent to the custodian that their account's standing instruction names.

When that is, says ``domain.leaving``: on affirmation or on booking, and at the latest at the market's cut-off, where what leaves
unaffirmed is one matter a block (SETTLEMENT_UNAFFIRMED) and what a person holds stays and is told (SETTLEMENT_HELD).
States, event (``SettlementInstructed``) and the bytes of the files are one transaction; ``write_settlement_files`` puts them
into the outgoing folder. So a restart sends nothing twice and nothing else under the same ref. Where no standing instruction is
in force the instruction waits, and SSI_MISSING is raised once for account, market and currency until it is sent: as soon as it is
known, not when it is to leave.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from allocations.domain import transitions as moves
from allocations.domain.instructing import Function
from allocations.domain.leaving import Verdict
from allocations.locks import lock_instructions, lock_waiting_instructions
from allocations.models import SettlementInstruction
from allocations.selectors.leaving import Place, Seen, next_waiting
from allocations.selectors.standing import standing_of
from allocations.services._missing_standing import NO_SSI, mark_missing
from allocations.services._settlement_events import INSTRUCTED, LINES_A_PART, held_anomaly
from allocations.services._settlement_files import make_files
from allocations.services.transform_instructions import transform_instructions
from authorisation.domain.principal import process_principal
from journal.bulk import update_rows
from journal.domain.chain import EventDraft
from journal.domain.records import Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.set_anomaly import set_anomaly
from kernel.crash_points import crash_point
from kernel.ids import new_id

ACTOR = process_principal("settlement")
UNAFFIRMED = "SETTLEMENT_UNAFFIRMED"
MOST = 50_000
SHOWN = 10


def instruct_settlements(*, at: datetime, most: int = MOST) -> int:
    """How many were sent, of about so many that wait; in slices, each a transaction. Nothing leaves in shares that are no more."""
    transform_instructions(at=at)
    sent, looked = 0, 0
    after: Place | None = None
    while looked < most:
        seen = next_waiting(at=at, after=after, most=LINES_A_PART)
        sent += _look(seen, at) if seen else 0
        if len(seen) < LINES_A_PART:
            break
        looked, after = looked + len(seen), seen[-1].place
    return sent


def _look(seen: Sequence[Seen], at: datetime) -> int:
    """A slice: send what goes; tell what lacks a standing instruction, left unaffirmed, or is held too long."""
    with transaction.atomic():
        places = standing_of([one.id for one in seen])
        goes = {one.id: one for one in seen if one.verdict.goes and places[one.id][0] is not None}
        changed = {one.id for one in seen if (places[one.id][0] is None) != (one.reason_code == NO_SSI)}
        rows = lock_waiting_instructions(goes.keys() | changed)
        mark_missing([row for row in rows if row.id in changed], places, at=at)
        ready = [row for row in rows if row.id in goes]
        for row in ready:
            row.standing_id = places[row.id][0]
        if ready:
            _send(ready, at)
        _tell_unaffirmed([goes[row.id] for row in ready if goes[row.id].verdict is Verdict.LEAVES_LATE], at=at)
        _tell_held([one for one in seen if one.verdict is Verdict.HELD_LATE], at=at)
        crash_point("settlement.written")
    crash_point("settlement.committed")
    return len(ready)


def _send(ready: Sequence[SettlementInstruction], at: datetime) -> None:
    """Rows, event and files of what can be sent."""
    event_id = new_id()
    for row in ready:
        row.state, row.instructed_at, row.event_id = moves.INSTRUCTED, at, event_id
        row.reason_code = row.reason = ""
    update_rows(
        SettlementInstruction,
        [(row.id, row.state, at, row.standing_id, "", "", event_id) for row in ready],
        key=("id",),
        fields=("state", "instructed_at", "standing_id", "reason_code", "reason", "event_id"),
    )
    files = make_files(instruction_ids=[row.id for row in ready], function=Function.NEW, event_id=event_id, at=at)
    append_to_stream(drafts=[_draft(event_id, ready, files, at)], at=at)


def _tell_unaffirmed(left: Sequence[Seen], *, at: datetime) -> None:
    """Once a block: what its counterparty has not agreed to may fail at the depository."""
    by_block: defaultdict[UUID, list[Seen]] = defaultdict(list)
    for one in left:
        by_block[one.block_id].append(one)
    for block_id, group in by_block.items():
        anomaly = Anomaly(
            kind=UNAFFIRMED,
            severity=Severity.HIGH,
            subject_type="block",
            subject_id=str(block_id),
            sentence=(
                f"{len(group)} instructions of {group[0].block_ref} left at their cut-off without the counterparty's "
                f"affirmation, {group[0].ref} among them: they may not match."
            ),
            dedupe_key=f"settlement-unaffirmed:{block_id}",
            evidence={"block": group[0].block_ref, "instructions": [one.ref for one in group[:SHOWN]]},
        )
        set_anomaly(anomaly=anomaly, wrong=True, actor=ACTOR.actor, at=at)


def _tell_held(seen: Sequence[Seen], *, at: datetime) -> None:
    """Behind their locks: who releases one clears what was told of it."""
    held = lock_instructions([one.id for one in seen]) if seen else {}
    for one in seen:
        if held[one.id].held_at is not None and held[one.id].state == moves.WAITING:
            set_anomaly(anomaly=held_anomaly(held[one.id], one.waiting.leave_by), wrong=True, actor=ACTOR.actor, at=at)


def _draft(event_id: UUID, chosen: Sequence[SettlementInstruction], places: list[str], at: datetime) -> EventDraft:
    return EventDraft(
        id=event_id,
        stream=f"settlement:{event_id}",
        kind=INSTRUCTED,
        actor=ACTOR.actor,
        correlation_id=event_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload={
            "files": places,
            "lines": [
                {"instruction_id": str(row.id), "ref": row.ref, "standing_id": str(row.standing_id)} for row in chosen
            ],
        },
    )
