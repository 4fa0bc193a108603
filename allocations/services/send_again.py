"""Send a refused instruction again: the old one ends, the next version of it waits under a new reference that names the old.

Never two that live: the old is canceled in the same transaction (its custodian refused it, so nothing is to be recalled), and of an
allocation one alone is open (constraint). It is sent by the standing instruction in force when it leaves, so a wrong account is
corrected there first. What is said of the old reference afterwards belongs to the old: units are a contradiction and are not
booked, and what has not left of the new one by then is held back, for two would settle the same trade.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from allocations.domain import transitions as moves
from allocations.domain.instructing import ref_of
from allocations.models import SettlementInstruction
from allocations.permissions import require_work
from allocations.services._acting import Acted, once, require_reason
from allocations.services._on_one_instruction import AGAIN_KIND, NotPossible, hold_row, tell_act
from allocations.services._settlement_events import Moved, clear_outcome, record_moves
from authorisation.domain.principal import Principal
from kernel.ids import new_id
from kernel.numbers import ZERO

_ASKED = (
    "allocation_id", "account_id", "instrument_id", "delivery", "qty", "amount", "currency", "trade_date", "settlement_date",
    "counterparty", "transforms_id", "action_id", "of_qty", "taken_into",
)  # fmt: skip


def send_again(*, actor: Principal, at: datetime, idempotency_key: str, route: str, ref: str, reason: str) -> Acted:
    """Raises NotPermitted RIGHT_MISSING, Invalid REASON_INVALID, NotFound INSTRUCTION_UNKNOWN, NotPossible INSTRUCTION_NOT_REFUSED;
    then nothing changed."""
    require_work(actor)
    why = require_reason(reason)

    def act() -> Acted:
        row = hold_row(actor, ref)
        refused = why_not_again(row)
        if refused is not None:
            raise refused
        (new,) = make_next([row], actor=actor, at=at, why=why)
        return Acted(f"{new.ref} takes the place of {row.ref} and leaves within a minute.")

    return once(actor=actor, at=at, route=route, key=idempotency_key, content={"ref": ref, "reason": why}, act=act)


def why_not_again(row: SettlementInstruction) -> NotPossible | None:
    """What speaks against it, as the button says it too."""
    if row.state == moves.REJECTED and not row.settled_qty:
        return None
    return NotPossible(
        "INSTRUCTION_NOT_REFUSED", f"{row.ref} is {row.state}: only what its custodian refused is sent again."
    )


def make_next(
    rows: Sequence[SettlementInstruction], *, actor: Principal, at: datetime, why: str
) -> list[SettlementInstruction]:
    """End the refused ones, which are locked, and write the next version of each. Inside the caller's transaction."""
    batch_id, moved, made = new_id(), [], []
    for row in rows:
        new = _next(row, at)
        was, row.state, row.closed_at = row.state, moves.CANCELED, at
        row.reason = f"sent again as {new.ref}: {why}"[:500]
        moved.append(Moved(row, was, ZERO, ZERO, ZERO, ZERO))
        made.append(new)
    record_moves(actor=actor, at=at, batch_id=batch_id, moved=moved, why="sent again")
    for row, new in zip(rows, made, strict=True):
        new.event_id = tell_act(
            actor=actor, at=at, kind=AGAIN_KIND, row=new, reason=why, instead_of=row.ref, refused_for=row.reason_code
        )
    SettlementInstruction.objects.bulk_create(made)
    clear_outcome(rows, actor=actor, at=at)
    return made


def _next(row: SettlementInstruction, at: datetime) -> SettlementInstruction:
    return SettlementInstruction(
        id=new_id(), ref=ref_of(row.allocation.number, row.version + 1), version=row.version + 1, replaces=row, created_at=at,
        state=moves.WAITING, **{name: getattr(row, name) for name in _ASKED},
    )  # fmt: skip
