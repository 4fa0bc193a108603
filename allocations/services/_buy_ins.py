"""Take the steps of buy-ins: what two people decided, and the end of one by itself when what failed is delivered or undone."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from accounts.domain.ledger import Layer
from accounts.models import TradingAccount
from accounts.selectors import find_suspense_account
from accounts.services.book_claim import ClaimLine, book_claim
from allocations.domain import transitions as moves
from allocations.domain.buying_in import ACCOUNT, INITIATE, TARGETS, BuyInStep, difference, obstacle
from allocations.locks import lock_instructions
from allocations.models import BuyIn, SettlementInstruction
from allocations.selectors.buy_in import failing_of
from allocations.services._on_one_instruction import tell_act
from authorisation.domain.principal import Principal, process_principal
from authorisation.services.decide_request import Applied, Asking, NotApplied
from kernel.ids import new_id
from kernel.numbers import plain

KIND = "BuyInMoved"
SETTLEMENT = process_principal("settlement")
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
    step = step_of(told)
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
        one.difference, one.bearer = difference(step, now), step.bearer
    one.reason, one.request_id = told["reason"], asking.facts.id
    _keep(one, row, actor=asking.actor, at=asking.at)
    extra = ""
    if one.amount:
        borne = _book(one, row, asking)
        extra = f" It cost {plain(one.difference)} {row.currency} beyond what was instructed, borne by {borne}."
    return Applied(f"The buy-in of {row.ref} is {one.state}.{extra}")


def step_of(told: Mapping[str, Any]) -> BuyInStep:
    """As the request keeps it."""
    return BuyInStep(
        told["step"],
        Decimal(told["qty"]),
        Decimal(told["amount"]),
        told["agent"],
        told["reference"],
        told.get("bearer", ""),
    )


def _book(one: BuyIn, row: SettlementInstruction, asking: Asking) -> str:
    """What it cost leaves the settled cash of who bears it, on this day; whoever that is, by code."""
    bearer = row.account_id if one.bearer == ACCOUNT else find_suspense_account(row.allocation.block.desk_id)
    if bearer is None:
        raise NotApplied("Neither the desk nor the firm has an error account that could bear it.")
    actor, day = replace(SETTLEMENT, on_behalf_of=asking.actor.actor), asking.at.date()
    said = {
        "buy_in_id": str(one.id), "instruction": row.ref, "reference": one.reference, "authorisation_id": str(one.request_id)
    }  # fmt: skip
    lines = [ClaimLine(bearer, Layer.SETTLED, row.currency, -one.difference, day)]
    book_claim(actor=actor, at=asking.at, business_date=day, lines=lines, said=said)
    return TradingAccount.objects.values_list("code", flat=True).get(id=bearer)


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
        agent=one.agent, reference=one.reference, bearer=one.bearer, authorisation_id=str(one.request_id or ""),
    )  # fmt: skip
    one.save()
    row.buy_in = MARKS[one.state]
    row.save(update_fields=["buy_in", "event_id"])
