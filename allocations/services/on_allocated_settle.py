"""Listener: what was allocated is to be settled; what was undone is to be settled no more. Set-based, idempotent.

An allocation with units gets one open instruction, waiting for where it settles; rounding lines and what lies in suspense get
none. Of an allocation that was reversed nothing had settled (``selectors.settled``): its instruction is canceled, and where the
custodian had been told, it is told. Should something have settled all the same, nothing is canceled and somebody is told.
A cost above the proceeds of a sale has no amount to be paid for: such a delivery is free, and the debt stays pending.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.domain.instructing import Function
from allocations.domain.telling import told
from allocations.locks import lock_instructions_of
from allocations.models import SettlementInstruction
from allocations.services._buy_ins import end_buy_ins
from allocations.services._settlement_events import Moved, clear_outcome, record_moves, settlement_anomaly, tell
from allocations.services._settlement_files import make_files
from authorisation.domain.principal import process_principal
from journal.bulk import raw_cursor
from journal.domain.records import ANOMALY_RAISED, Anomaly, EventRecord, Severity
from kernel.ids import new_id
from kernel.numbers import ZERO, plain

ACTOR = process_principal("settlement")
REVERSED = frozenset({"AllocationReversed", "DirectTradesReversed"})
SETTLED_REVERSED = "SETTLED_REVERSED"
TOLD = frozenset({moves.INSTRUCTED, moves.MATCHED, moves.PENDING, moves.FAILED})
"""States in which the custodian knows of it and has not refused it."""
OUTCOMES = (moves.FAILED, moves.REJECTED)
_FORM = """
INSERT INTO allocations_settlementinstruction
       (id, ref, allocation_id, version, replaces_id, account_id, instrument_id, delivery, qty, amount, currency, trade_date,
        settlement_date, counterparty, state, settled_qty, settled_amount, reason_code, reason, buy_in, created_at, event_id)
SELECT w.id, 'S' || a.number || '-' || coalesce(last.version, 0) + 1, a.id, coalesce(last.version, 0) + 1, last.id, a.account_id,
       b.instrument_id, CASE WHEN a.side = '1' THEN 'RECE' ELSE 'DELI' END, a.qty,
       greatest(CASE WHEN a.side = '1' THEN -a.net ELSE a.net END, 0), b.currency, a.trade_date, a.settlement_date,
       b.session_group, 'waiting', 0, 0, '', '', '', %s, w.event_id
  FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[]) AS w(id, allocation_id, event_id)
  JOIN allocations_allocation a ON a.id = w.allocation_id AND a.state = 'booked' AND NOT a.is_rounding
  JOIN allocations_block b ON b.id = a.block_id
  LEFT JOIN LATERAL (SELECT i.id, i.version, i.state FROM allocations_settlementinstruction i
                      WHERE i.allocation_id = a.id ORDER BY i.version DESC LIMIT 1) last ON true
 WHERE last.state IS NULL OR last.state = 'canceled'
ON CONFLICT DO NOTHING
"""


def handle(events: Sequence[EventRecord]) -> None:
    """Called in one transaction with the cursor, in order of position."""
    formed: dict[UUID, tuple[UUID, datetime]] = {}
    for event in events:
        lines = [line for _, line in told(event.payload)]
        if event.kind in REVERSED:
            undone = [line.allocation_id for line in lines]
            _form(formed)
            formed = {allocation_id: at for allocation_id, at in formed.items() if allocation_id not in undone}
            cancel_instructions(undone, at=event.recorded_at, why=event.payload.get("why", ""), causation_id=event.id)
        else:
            formed |= {line.allocation_id: (event.id, event.recorded_at) for line in lines}
    _form(formed)


def _form(formed: dict[UUID, tuple[UUID, datetime]]) -> None:
    if not formed:
        return
    at = max(moment for _, moment in formed.values())
    with raw_cursor() as cursor:
        cursor.execute(
            _FORM, [at, [new_id() for _ in formed], list(formed), [event_id for event_id, _ in formed.values()]]
        )


def cancel_instructions(allocation_ids: Sequence[UUID], *, at: datetime, why: str, causation_id: UUID) -> int:
    """Cancel the open instructions of allocations that are undone. How many; those of which some has settled are told instead."""
    event_id = new_id()
    canceled, known, settled = [], [], []
    for row in lock_instructions_of(allocation_ids):
        if row.settled_qty:
            settled.append(row)
        elif row.state != moves.CANCELED:
            was, row.state, row.closed_at = row.state, moves.CANCELED, at
            row.reason = f"undone: {why}"[:500]
            canceled.append(Moved(row, was, ZERO, ZERO, ZERO, ZERO))
            if was in TOLD:
                known.append(row.id)
    if canceled:
        record_moves(
            actor=ACTOR, at=at, batch_id=event_id, moved=canceled, why=why or "undone", causation_id=causation_id
        )
    started = [one.instruction for one in canceled if one.instruction.buy_in == SettlementInstruction.BuyIn.STARTED]
    end_buy_ins(started, actor=ACTOR, at=at, why="What it was for is undone.")
    if known:
        make_files(instruction_ids=known, function=Function.CANCEL, event_id=event_id, at=at)
    clear_outcome(
        [one.instruction for one in canceled if one.was in OUTCOMES or one.instruction.held_at], actor=ACTOR, at=at
    )
    tell([_settled(row) for row in settled], kind=ANOMALY_RAISED, actor=ACTOR, at=at)
    return len(canceled)


def _settled(row: SettlementInstruction) -> Anomaly:
    sentence = (
        f"its allocation was reversed, and {plain(row.settled_qty)} of {plain(row.qty)} units had settled "
        f"({plain(row.settled_amount)} {row.currency}): compensate them by a trade the other way."
    )
    return settlement_anomaly(SETTLED_REVERSED, row, sentence, severity=Severity.CRITICAL)
