"""What a step of a buy-in would do once approved: a dry run on the facts of now."""

from __future__ import annotations

from allocations.domain.buying_in import TARGETS, difference, obstacle
from allocations.models import SettlementInstruction
from allocations.selectors.buy_in import failing_of, open_buy_in
from allocations.services._buy_ins import step_of
from authorisation.domain.four_eyes import RequestFacts
from kernel.numbers import plain
from operations.domain.effect import Effect, EffectLine


def describe_buy_in(facts: RequestFacts) -> Effect:
    """The buy-in of now beside the one asked for, and what it costs beyond what was instructed."""
    told = facts.payload
    row = SettlementInstruction.objects.get(pk=told["instruction_id"])
    step = step_of(told)
    now, current = failing_of(row), open_buy_in(row)
    lines = [EffectLine("Buy-in", current.state if current else "none", TARGETS[step.step])]
    if step.qty:
        lines.append(
            EffectLine(
                "Units", plain(current.qty) if current else "none", plain(step.qty), f"{plain(now.open_qty)} open"
            )
        )
    if step.amount:
        cost = plain(difference(step, now))
        lines.append(
            EffectLine("Amount", "none", f"{plain(step.amount)} {row.currency}", f"{cost} beyond what was instructed")
        )
    return Effect(
        headline=f"{facts.summary}. Reason: {told['reason']}",
        button=f"{told['step']} the buy-in of {row.ref}",
        lines=tuple(lines),
        warnings=(f"What it cost leaves the settled cash of the {step.bearer} today.",) if step.amount else (),
        obstacle=obstacle(step, now),
    )
