"""Take the steps of buy-ins: what two people decided, and the end of one by itself when what failed is delivered or undone."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from allocations.domain import transitions as moves
from allocations.domain.buying_in import INITIATE, TARGETS, BuyInStep, difference, obstacle
from allocations.locks import lock_instructions
from allocations.models import BuyIn, SettlementInstruction
from allocations.selectors.buy_in import failing_of
from allocations.services._on_one_instruction import tell_act
from authorisation.domain.principal import Principal
from authorisation.services.decide_request import Applied, Asking, NotApplied
from kernel.ids import new_id
from kernel.numbers import plain

KIND = "BuyInMoved"
MARKS = {
    moves.INITIATED: SettlementInstruction.BuyIn.STARTED,
    moves.EXECUTED: SettlementInstruction.BuyIn.EXECUTED,
    moves.COMPENSATED: SettlementInstruction.BuyIn.CASH,
    moves.WITHDRAWN: SettlementInstruction.BuyIn.NONE,
}
"""What an instruction says of its buy-in; called off, it is marked anew when its rule still asks for one."""


def apply_buy_in(asking: Asking) -> Applied:
    """The step that was looked at, if it can still be taken."""
    told = asking.payload
    step = BuyInStep(told["step"], Decimal(told["qty"]), Decimal(told["amount"]), told["agent"], told["reference"])
    row = lock_instructions([UUID(told["instruction_id"])])[UUID(told["instruction_id"])]
    now = failing_of(row)
    refused = obstacle(step, now)
    if refused:
        raise NotApplied(f"{row.ref}: {refused}")
    if step.step == INITIATE:
        one = BuyIn(id=new_id(), instruction=row, qty=step.qty, agent=step.agent, initiated_at=asking.at)
    else:
        one = BuyIn.objects.get(instruction=row, state=moves.INITIATED)
        one.state, one.ended_at = TARGETS[step.step], asking.at
        one.done_qty, one.amount, one.reference = step.qty, step.amount, step.reference
        one.difference = difference(step, now)
    one.reason, one.request_id = told["reason"], asking.facts.id
    _keep(one, row, actor=asking.actor, at=asking.at)
    extra = (
        f" It cost {plain(one.difference)} {row.currency} beyond what was instructed: book it where it moves."
        if one.amount
        else ""
    )
    return Applied(f"The buy-in of {row.ref} is {one.state}.{extra}")


def end_buy_ins(rows: Collection[SettlementInstruction], *, actor: Principal, at: datetime, why: str) -> None:
    """What was being bought in is delivered or undone: its buy-in ends. ``rows`` are locked; what they say is the caller's to write."""
    started = {row.id: row for row in rows}
    for one in BuyIn.objects.filter(instruction__in=started, state=moves.INITIATED) if started else ():
        one.state, one.ended_at, one.reason, one.request_id = moves.WITHDRAWN, at, why, None
        _keep(one, started[one.instruction_id], actor=actor, at=at)


def _keep(one: BuyIn, row: SettlementInstruction, *, actor: Principal, at: datetime) -> None:
    one.event_id = row.event_id = tell_act(
        actor=actor, at=at, kind=KIND, row=row, reason=one.reason, buy_in=str(one.id), state=one.state, qty=plain(one.qty),
        done_qty=plain(one.done_qty), amount=plain(one.amount), difference=plain(one.difference), currency=row.currency,
        agent=one.agent, reference=one.reference, authorisation_id=str(one.request_id or ""),
    )  # fmt: skip
    one.save()
    row.buy_in = MARKS[one.state]
    row.save(update_fields=["buy_in", "event_id"])
