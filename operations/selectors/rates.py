"""Rates as people see them: what a change would do, from a dry run of now."""

from __future__ import annotations

from datetime import datetime

from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from operations.domain.effect import Effect, EffectLine
from risk.domain.rates import POLICY, THROTTLES
from risk.selectors.rates import get_bucket
from risk.services.decide_rate_change import mark_of_payload


def describe_rate_change(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """The mark of now against the one asked for, and who would be held at this moment under it."""
    mark = mark_of_payload(facts.payload)
    now = get_bucket(kind=mark.kind, subject=mark.subject, at=at)
    lines = [
        EffectLine("Mark", now.mark.words, mark.words),
        EffectLine("Kept for cancels, or share", f"{now.mark.share} %", f"{mark.share} %"),
        EffectLine("Pause before asking", f"{now.mark.pause_s:,} s", f"{mark.pause_s:,} s"),
    ]
    if mark.kind in THROTTLES and mark.subject:
        used = now.ahead_us // now.mark.step_us
        lines.append(EffectLine("Used of the burst", f"{used:,} of {now.mark.burst:,}", f"{used:,} of {mark.burst:,}"))
    who = mark.subject or f"every {mark.kind.value} without a mark of its own"
    return Effect(
        headline=f"{mark.kind.value.capitalize()}, {who}: {mark.words}. {POLICY[mark.kind]}",
        button=f"Approve: {mark.words}",
        lines=tuple(lines),
    )
