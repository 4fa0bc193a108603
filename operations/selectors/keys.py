"""The keys of the API as their page shows them: whose, what they open, from where, how often, since when and last used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from authorisation.domain.key_change import KIND
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import ApiKey, AuthorisationRequest, User
from authorisation.selectors import is_live
from authorisation.services.show_secret import FETCHED_WITHIN

MOST_KEYS = 500


@dataclass(frozen=True, slots=True)
class KeyLine:
    """One key. ``state`` in words; ``waiting_id`` is the question about a key of this name that waits for a second person."""

    key: ApiKey
    state: str
    live: bool
    is_newest: bool
    secret_waits: bool
    waiting_id: UUID | None
    last_used_at: datetime | None
    last_source: str


def list_key_lines(actor: Principal, *, at: datetime, ended: bool = False) -> list[KeyLine]:
    """Live keys, or with ``ended`` also those that are over, by owner and name; at most 500."""
    keys = ApiKey.objects.select_related("user", "use").order_by("user__username", "name", "-created_at", "id")
    rows = list(keys[:MOST_KEYS])
    replaced = {one.replaces_id for one in rows if one.replaces_id and is_live(one, at=at)}
    waiting = dict(AuthorisationRequest.objects.filter(kind=KIND, state__in=OPEN).values_list("subject_id", "pk"))
    lines = [
        KeyLine(
            key=key,
            state=_state(key, at=at),
            live=is_live(key, at=at),
            is_newest=key.pk not in replaced,
            secret_waits=key.secret_for_id == actor.user_id and at <= key.created_at + FETCHED_WITHIN,
            waiting_id=waiting.get(f"{key.user_id}:{key.name}"),
            last_used_at=key.use.last_used_at if hasattr(key, "use") else None,
            last_source=key.use.last_source if hasattr(key, "use") else "",
        )
        for key in rows
    ]
    return [line for line in lines if line.live or ended]


def list_service_accounts() -> list[tuple[int, str]]:
    """Active service accounts that a key may be asked for."""
    services = User.objects.filter(kind=User.Kind.SERVICE, is_active=True).order_by("username", "id")
    return list(services.values_list("pk", "username"))


def _state(key: ApiKey, *, at: datetime) -> str:
    if key.revoked_at is not None:
        return "revoked"
    if not key.user.is_active:
        return "account off"
    if key.expires_at is not None and key.expires_at <= at:
        return "ended"
    return "ends" if key.expires_at is not None else "live"
