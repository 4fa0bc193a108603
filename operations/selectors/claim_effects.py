"""What the end of a market claim would do once approved: a dry run on the facts of now."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from allocations.domain.claiming import PAY
from allocations.models import Claim
from allocations.models.claims import OPEN
from allocations.services.act_on_claim import step_of
from authorisation.domain.four_eyes import RequestFacts
from kernel.numbers import plain
from operations.domain.effect import Effect, EffectLine


def describe_claim(facts: RequestFacts, at: datetime) -> Effect:
    """The claim of now beside its end, and who pays."""
    told = facts.payload
    row, step = Claim.objects.select_related("account").get(pk=told["claim_id"]), step_of(told, at)
    paid = step.step == PAY
    lines = (
        EffectLine("Claim", row.get_state_display(), "Paid" if paid else "Written off"),
        EffectLine(
            f"Cash of {row.account.code}",
            "pending",
            "settled",
            f"{plain(row.amount)} {row.currency}, once the issuer paid",
        ),
    )
    obstacle = ""
    if row.state not in OPEN:
        obstacle = f"{row.ref} is {row.get_state_display().lower()} already."
    elif row.amount != Decimal(told["amount"]):
        obstacle = f"{row.ref} became {plain(row.amount)} {row.currency} since this was asked."
    return Effect(
        headline=f"{facts.summary}. Reason: {told['reason']}",
        button=f"{'book the payment of' if paid else 'write off'} {row.ref}",
        lines=lines,
        warnings=() if paid else (f"The error account bears {plain(row.amount)} {row.currency}.",),
        obstacle=obstacle,
    )
