"""How trades that went straight to a client's account reach their table and the journal. They move no money: orders booked it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from accounts.domain.fees import Charge
from allocations.domain import transitions as moves
from allocations.domain.telling import BlockTold, LineTold, direct_parts
from allocations.models import Allocation, Block
from allocations.services._writing import told_block
from authorisation.domain.principal import process_principal
from journal.bulk import write_rows
from journal.domain.chain import EventDraft
from journal.services.append_to_stream import append_to_stream
from kernel.ids import new_id
from kernel.numbers import ZERO, plain

ACTOR = process_principal("allocations")
STREAM = "allocations:direct"
METHOD = "direct"
Trade = tuple[BlockTold, LineTold]
_FIELDS = (
    "id", "number", "block_id", "round", "account_id", "booked_account_id", "side", "qty", "avg_px", "gross", "charges",
    "fees", "net", "is_rounding", "trade_date", "settlement_date", "state", "reason", "compensates_id", "booked_event_id",
    "booked_at",
)  # fmt: skip


def of_round(block: Block, round_: int) -> BlockTold:
    """The block as the events of a round tell it."""
    return replace(told_block(block, round_=round_), method=METHOD)


def whole_line(block: Block, number: int, charges: Sequence[Charge]) -> LineTold:
    """All of a block for its own account, with what its order was charged that day."""
    fees = sum((charge.amount for charge in charges), ZERO)
    return LineTold(
        new_id(), number, block.account_id, block.account_id, block.side, block.qty, block.avg_px, block.cash, fees,
        block.cash - fees, block.trade_date, block.settlement_date, told_charges(charges),
    )  # fmt: skip


def told_charges(charges: Sequence[Charge]) -> tuple[tuple[str, str, int, str], ...]:
    """Charges as events tell them."""
    return tuple((charge.kind, charge.name, charge.version, plain(charge.amount)) for charge in charges)


def tell(kind: str, trades: Sequence[Trade], *, at: datetime, day: date, why: str = "") -> dict[UUID, UUID]:
    """Append what tells the trades. Returns the event of each allocation."""
    drafts: list[EventDraft] = []
    named: dict[UUID, UUID] = {}
    for payload in direct_parts(trades):
        event_id = new_id()
        named |= {UUID(line["allocation_id"]): event_id for line in payload["lines"]}
        drafts.append(
            EventDraft(
                id=event_id,
                stream=STREAM,
                kind=kind,
                actor=ACTOR.actor,
                correlation_id=event_id,
                event_at=at,
                received_at=at,
                business_date=day,
                payload=payload | ({"why": why} if why else {}),
            )
        )
    append_to_stream(drafts=drafts, at=at)
    return named


def keep(trades: Sequence[Trade], event_ids: dict[UUID, UUID], *, at: datetime) -> None:
    """Write the allocations under the events that told them."""
    write_rows(
        Allocation, [_row(block, line, event_ids[line.allocation_id], at) for block, line in trades], fields=_FIELDS
    )


def end(rows: Sequence[Allocation], *, state: str, event_ids: dict[UUID, UUID], why: str, at: datetime) -> None:
    """Move allocations that stand to what ended them."""
    for row in rows:
        if state == moves.REVERSED:
            row.reverse()
        else:
            row.compensate()
        row.reason, row.ended_event_id, row.ended_at = why, event_ids[row.id], at
        row.save(update_fields=["state", "reason", "ended_event_id", "ended_at"])


def _row(block: BlockTold, line: LineTold, event_id: UUID, at: datetime) -> tuple[Any, ...]:
    return (
        line.allocation_id, line.number, block.block_id, block.round, line.account_id, line.booked_account_id, line.side,
        line.qty, line.avg_px, line.gross, [list(charge) for charge in line.charges], line.fees, line.net, line.is_rounding,
        line.trade_date, line.settlement_date, line.state, line.reason, line.compensates, event_id, at,
    )  # fmt: skip
