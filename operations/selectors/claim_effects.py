"""What the end of a market claim would do once approved: a dry run on the facts of now."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from allocations.domain.claiming import PAY
from allocations.models import Claim
from allocations.models.claims import OPEN
from allocations.services.act_on_claim import step_of
from authorisation.domain.four_eyes import RequestFacts
from operations.domain.effect import Effect, EffectLine


def describe_claim(facts: RequestFacts, at: datetime) -> Effect:
    """The claim of now beside its end, and who pays."""
    told = facts.payload
    row, step = Claim.objects.select_related("account").get(pk=told["claim_id"]), step_of(told, at)
    paid = step.step == PAY
    lines = (
        EffectLine("Claim", row.get_state_display(), "Paid" if paid else "Written off"),
        EffectLine(
            f"{'Cash' if row.currency else 'Stock'} of {row.account.code}",
            "pending",
            "settled",
            f"{row.said}, once the issuer paid" if row.currency else row.said,
        ),
    )
    obstacle = ""
    if row.state not in OPEN:
        obstacle = f"{row.ref} is {row.get_state_display().lower()} already."
    elif row.amount != Decimal(told["amount"]):
        obstacle = f"{row.ref} became {row.said} since this was asked."
    return Effect(
        headline=f"{facts.summary}. Reason: {told['reason']}",
        button=f"{('book the payment of' if row.currency else 'book the delivery of') if paid else 'write off'} {row.ref}",
        lines=lines,
        warnings=() if paid else (f"The error account bears {row.said}.",),
        obstacle=obstacle,
    )
