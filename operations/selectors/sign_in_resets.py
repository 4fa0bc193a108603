"""What a reset of somebody's sign-in would end, counted now."""

from __future__ import annotations

from datetime import datetime

from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.principal import Principal
from authorisation.models import User
from authorisation.selectors.sign_in import count_recovery_codes, list_factors, list_sessions
from operations.domain.effect import Effect, EffectLine


def describe_sign_in_reset(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """Password, factors, codes and sessions of now, all of which end."""
    user = User.objects.get(pk=int(facts.subject_id))
    factors = list_factors(user_id=user.pk)
    lines = (
        EffectLine("Password", "set" if user.has_usable_password() else "none", "none, till the link is used"),
        EffectLine("Second factors", ", ".join(one.name for one in factors) or "none", "none"),
        EffectLine("Recovery codes", str(count_recovery_codes(user_id=user.pk)), "0"),
        EffectLine("Sessions", str(len(list_sessions(user_id=user.pk, at=at))), "0", drifts=True),
    )
    return Effect(
        headline=f"Nothing {user.username} has opens the door any more; {facts.maker_name} may collect one link, once.",
        button=f"Reset the sign-in of {user.username}",
        lines=lines,
        warnings=("Whoever holds the link becomes this person: be sure who asked, and how that was known.",),
        obstacle="" if user.is_active else f"{user.username} was cut off meanwhile.",
        irreversible="Factors and recovery codes cannot be brought back; the person enrols anew.",
    )
