"""How moves of settlement instructions are told and written: in parts of a thousand, state and figures together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.models import SettlementInstruction
from authorisation.domain.principal import Principal
from journal.bulk import update_rows
from journal.domain.chain import EventDraft
from journal.domain.records import Anomaly, Severity
from journal.services.append_to_stream import append_to_stream
from journal.services.raise_anomaly import anomaly_draft
from journal.services.set_anomaly import set_anomaly
from kernel.ids import new_id
from kernel.numbers import plain

INSTRUCTED = "SettlementInstructed"
MOVED = "SettlementsMoved"
FAILED = "SETTLEMENT_FAILED"
REJECTED = "SETTLEMENT_REJECTED"
HELD = "SETTLEMENT_HELD"
NOT_TRANSFORMED = "SETTLEMENT_NOT_TRANSFORMED"
LINES_A_PART = 1000
COLUMNS = (
    "state", "settled_qty", "settled_amount", "reason_code", "reason", "matched_at", "settled_at", "failing_since",
    "closed_at", "buy_in", "buy_in_on", "event_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moved:
    """An instruction as it is from now on. ``qty`` and ``amount`` are what changed hands now, ``booked`` whether any of it
    moved a balance (else a statement of bank or registry had done so)."""

    instruction: SettlementInstruction
    was: str
    qty: Decimal
    amount: Decimal
    booked_qty: Decimal
    booked_amount: Decimal


def record_moves(
    *,
    actor: Principal,
    at: datetime,
    batch_id: UUID,
    moved: Sequence[Moved],
    why: str,
    causation_id: UUID | None = None,
) -> None:
    """Write the rows and tell them in ``settlement:<batch>``."""
    slices = [moved[start : start + LINES_A_PART] for start in range(0, len(moved), LINES_A_PART)]
    drafts = []
    for chosen in slices:
        draft = _draft(actor, at, batch_id, chosen, why, causation_id)
        for one in chosen:
            one.instruction.event_id = draft.id
        drafts.append(draft)
    rows = [(one.instruction.id, *(getattr(one.instruction, name) for name in COLUMNS)) for one in moved]
    update_rows(SettlementInstruction, rows, key=("id",), fields=COLUMNS)
    append_to_stream(drafts=drafts, at=at)


def _draft(
    actor: Principal, at: datetime, batch_id: UUID, chosen: Sequence[Moved], why: str, causation_id: UUID | None
) -> EventDraft:
    return EventDraft(
        id=new_id(),
        stream=f"settlement:{batch_id}",
        kind=MOVED,
        actor=actor.actor,
        on_behalf_of=actor.on_behalf_of,
        correlation_id=batch_id,
        causation_id=causation_id,
        event_at=at,
        received_at=at,
        business_date=at.date(),
        payload={"why": why, "lines": [_line(one) for one in chosen]},
    )


def _line(one: Moved) -> dict[str, Any]:
    row = one.instruction
    return {
        "instruction_id": str(row.id),
        "ref": row.ref,
        "from": one.was,
        "to": row.state,
        "qty": plain(one.qty),
        "amount": plain(one.amount),
        "booked_qty": plain(one.booked_qty),
        "booked_amount": plain(one.booked_amount),
        "settled_qty": plain(row.settled_qty),
        "settled_amount": plain(row.settled_amount),
        "reason_code": row.reason_code,
    }


def settlement_anomaly(
    kind: str, instruction: SettlementInstruction, sentence: str, *, severity: Severity, key: str = "", **evidence: str
) -> Anomaly:
    """Of one instruction; ``key`` tells apart several of a kind."""
    return Anomaly(
        kind=kind,
        severity=severity,
        subject_type="settlement_instruction",
        subject_id=str(instruction.id),
        sentence=f"{instruction.ref}: {sentence}",
        dedupe_key=f"{kind.lower()}:{key or instruction.id}",
        evidence={"ref": instruction.ref, "account_id": str(instruction.account_id)} | evidence,
    )


def held_anomaly(instruction: SettlementInstruction, leave_by: datetime) -> Anomaly:
    """A person holds it back and its cut-off has passed; cleared when it is released or undone."""
    sentence = f"it is held back by {instruction.held_by}, and its cut-off was {leave_by:%Y-%m-%d %H:%M} UTC."
    return settlement_anomaly(HELD, instruction, sentence, severity=Severity.HIGH)


def tell(anomalies: Sequence[Anomaly], *, kind: str, actor: Principal, at: datetime) -> None:
    """Raise or clear them all."""
    append_to_stream(
        drafts=[anomaly_draft(anomaly=one, actor=actor.actor, at=at, kind=kind) for one in anomalies], at=at
    )


def clear_outcome(instructions: Iterable[SettlementInstruction], *, actor: Principal, at: datetime) -> None:
    """What was raised about how they stood (failed, rejected, held) is over."""
    for row in instructions:
        sentence = "it has settled." if row.state == moves.SETTLED else f"it is {row.state}."
        for kind in (FAILED, REJECTED, HELD, NOT_TRANSFORMED):
            gone = settlement_anomaly(kind, row, sentence, severity=Severity.LOW)
            set_anomaly(anomaly=gone, wrong=False, actor=actor.actor, at=at)
