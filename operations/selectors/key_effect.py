"""What making a key would do, on the facts of now."""

from __future__ import annotations

from datetime import datetime, timedelta

from authorisation.domain.four_eyes import RequestFacts
from authorisation.domain.key_change import KeyChange, from_payload
from authorisation.domain.principal import Principal
from authorisation.domain.scopes import SCOPES
from authorisation.models import ApiKey, User
from authorisation.selectors import get_principal, is_live
from authorisation.services._keys import require_rotatable, require_service_account
from kernel.errors import OmsError
from operations.domain.effect import Effect, EffectLine


def describe_api_key(actor: Principal, facts: RequestFacts, at: datetime) -> Effect:
    """Whose key, what it opens of what its account may do now, from where, how often, and until when the old one lives."""
    change = from_payload(facts.payload)
    live = [key for key in ApiKey.objects.select_related("user").filter(user_id=change.user_id) if is_live(key, at=at)]
    verb = "make a second key" if change.replaces else "make a key"
    return Effect(
        headline=f"{change.words}. Why: {change.reason}",
        button=f"{verb} {change.terms.name} for {change.username}",
        lines=(
            EffectLine("Live keys of the account", str(len(live)), str(len(live) + 1)),
            EffectLine("What it opens", "—", "; ".join(SCOPES[one] for one in change.terms.scopes)),
            EffectLine("From", "—", ", ".join(change.terms.addresses) or "any address"),
            EffectLine("Requests", "—", f"{change.terms.rate} a second, {change.terms.burst} at once"),
            EffectLine("Until", "—", _until(change, at)),
        ),
        warnings=_warnings(change),
        obstacle=_obstacle(change, at),
        irreversible="Whoever asked sees the secret once; a key can be revoked at any time.",
    )


def _until(change: KeyChange, at: datetime) -> str:
    if change.replaces is not None:
        ends = at + timedelta(seconds=change.overlap_s)
        return f"revoked; the first key ends {ends:%Y-%m-%d %H:%M} UTC"
    return f"{change.expires_at:%Y-%m-%d %H:%M} UTC" if change.expires_at else "revoked"


def _warnings(change: KeyChange) -> tuple[str, ...]:
    user = User.objects.filter(pk=change.user_id).first()
    if user is None:
        return ()
    rights = ", ".join(sorted(get_principal(user).rights)) or "none"
    found = [f"The account has the rights: {rights}. A key never does more."]
    if not change.terms.addresses:
        found.append("It may come from any address.")
    if user.responsible_id is None:
        found.append("Nobody answers for this service account.")
    return tuple(found)


def _obstacle(change: KeyChange, at: datetime) -> str:
    try:
        require_service_account(change.user_id)
        if change.replaces is not None:
            old = ApiKey.objects.select_related("user").filter(pk=change.replaces).first()
            if old is None:
                return "The key it takes over from is gone."
            require_rotatable(old, at=at)
    except OmsError as error:
        return error.sentence
    return ""
