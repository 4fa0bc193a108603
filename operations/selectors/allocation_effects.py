"""What an allocation would do once approved: who has how much of the block now, and then; a dry run on the facts of now."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from allocations.domain.allocating import Plan
from allocations.domain.lines import NotAllocated
from allocations.domain.second_person import Wanted
from allocations.models import Allocation, Block
from allocations.selectors.cases import read_case
from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal, process_principal
from kernel.errors import OmsError
from kernel.numbers import ZERO, round_money
from operations.domain.effect import Effect, EffectLine
from operations.selectors.shares_shown import share_lines, units


def describe_allocation(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """Units by account, before and after; what stands against it, and why it needed a second person."""
    asked = facts.payload
    block = Block.objects.select_related("listing__instrument").get(pk=asked["block_id"])
    plan, obstacle = _planned(block, Wanted.from_json(asked), at)
    if not obstacle and (block.version != asked["block_version"] or (plan and plan.digest != asked["plan"])):
        obstacle = f"{block.ref} has changed since it was proposed: it must be proposed again."
    now = _stands(block)
    lines, more = share_lines(actor, now, {one.account_id: one.qty for one in plan.booked} if plan else now)
    warnings = [reason["sentence"] for reason in facts.reasons]
    if more:
        warnings.append(f"{more:,} more accounts are not shown here.")
    if block.round:
        warnings.append(
            "What is booked now is reversed and booked anew; what has settled is undone by trades of today."
        )
    return Effect(
        headline=f"{block.ref}: {units(block.qty)} {block.listing.symbol} are divided by {asked['method']}."
        f" Reason: {asked['reason'] or 'none given'}",
        button=f"allocate {block.ref}",
        lines=(*lines, *_residual(plan)),
        warnings=tuple(warnings),
        obstacle=obstacle,
        irreversible="Clients hold what they are given; another division reverses it in the open.",
    )


def _planned(block: Block, wanted: Wanted, at: datetime) -> tuple[Plan | None, str]:
    try:
        case = read_case(actor=process_principal("approvals"), at=at, block=block, wanted=wanted)
    except OmsError as error:
        return None, error.sentence
    if isinstance(case.plan, NotAllocated):
        return None, case.plan.sentence
    return case.plan, ""


def _stands(block: Block) -> dict[UUID, Decimal]:
    """Units by account that stand now."""
    found: dict[UUID, Decimal] = {}
    rows = Allocation.objects.filter(block=block).exclude(state="reversed").filter(qty__gt=0)
    for account_id, side, qty in rows.values_list("account_id", "side", "qty"):
        found[account_id] = found.get(account_id, ZERO) + (qty if side == block.side else -qty)
    return found


def _residual(plan: Plan | None) -> tuple[EffectLine, ...]:
    if plan is None:
        return ()
    return (EffectLine("Rounding account", "", f"{round_money(plan.residual, plan.currency):,f} {plan.currency}"),)
