"""Reads about how people sign in: their sessions and what happened at the door lately."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from authorisation.domain.one_time import SIGN_IN_RESET_KIND, link_digest
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import APPROVED
from authorisation.models import AuthorisationRequest, Factor, RecoveryCode, Session, SignInLink, User
from authorisation.permissions import require_administrator
from journal.models import Event
from kernel.errors import NotFound

AT_THE_DOOR = {
    "SignedIn": "Signed in",
    "NewDeviceSeen": "A browser never used before",
    "SignInRefused": "Wrong passwords or codes",
    "SessionEnded": "Session ended",
    "SteppedUp": "Confirmed who it is",
    "FactorEnrolled": "Second factor added",
    "FactorRemoved": "Second factor removed",
    "RecoveryCodesMade": "New recovery codes",
    "SignInReset": "Sign-in reset by two administrators",
    "PasswordChanged": "Password changed",
    "SignInLinkIssued": "One-time link issued",
    "SignInLinkUsed": "One-time link used",
}


@dataclass(frozen=True, slots=True)
class DoorEvent:
    """One line of what happened at the door."""

    at: datetime
    words: str
    actor: str
    detail: str
    device: str
    source: str


def require_visible_user(actor: Principal, username: str = "") -> User:
    """The actor's own user, or for administrators another one by name. Raises NotFound, NotPermitted RIGHT_MISSING."""
    if not username or username == actor.username:
        return User.objects.get(pk=actor.user_id)
    require_administrator(actor, confirmed=False)
    found = User.objects.filter(username=username, kind=User.Kind.PERSON).first()
    if found is None:
        raise NotFound("USER_UNKNOWN", "There is no such person.")
    return found


def list_sessions(*, user_id: int, at: datetime) -> list[Session]:
    """The live sessions of a person, the last used first."""
    return list(
        Session.objects.filter(user_id=user_id, expires_at__gt=at).defer("data").order_by("-last_used_at", "digest")
    )


def list_door_events(*, user_id: int, limit: int = 20) -> list[DoorEvent]:
    """What happened at the door lately, the newest first."""
    rows = Event.objects.filter(stream=f"user:{user_id}", kind__in=AT_THE_DOOR).order_by("-seq")[:limit]
    return [_door_event(row) for row in rows]


def _door_event(row: Event) -> DoorEvent:
    told = row.payload
    detail = next((str(told[name]) for name in ("factor", "reason", "kind", "failures") if name in told), "")
    words = AT_THE_DOOR[row.kind]
    return DoorEvent(row.recorded_at, words, row.actor, detail, told.get("device", ""), told.get("source", ""))


def has_second_factor(user: User) -> bool:
    """Whether the person has one."""
    return Factor.objects.filter(user=user).exists()


def list_factors(*, user_id: int) -> list[Factor]:
    """The second factors of a person, the oldest first."""
    return list(Factor.objects.filter(user_id=user_id).order_by("created_at", "id"))


def count_recovery_codes(*, user_id: int) -> int:
    """How many are left."""
    return RecoveryCode.objects.filter(user_id=user_id, used_at__isnull=True).count()


def find_link_user(*, token: str, at: datetime) -> User | None:
    """Whose one-time link this is, if it still works."""
    link = (
        SignInLink.objects.select_related("user")
        .filter(digest=link_digest(token), ended_at__isnull=True, expires_at__gt=at, user__is_active=True)
        .first()
    )
    return link.user if link else None


def list_collectable_resets(*, actor: Principal, user_id: int) -> list[AuthorisationRequest]:
    """Resets of the person that the actor asked for and another approved, whose link was not collected yet."""
    return list(
        AuthorisationRequest.objects.filter(
            kind=SIGN_IN_RESET_KIND,
            maker_id=actor.user_id,
            subject_id=str(user_id),
            state=APPROVED,
            signinlink__isnull=True,
        ).order_by("-created_at", "id")[:5]
    )


def needs_first_link(user: User) -> bool:
    """Whether the person has nothing yet to come in with."""
    return not user.has_usable_password() and not has_second_factor(user)


def is_known_browser(*, user_id: int, browser_id: str) -> bool:
    """Whether the person signed in with this browser before."""
    return Event.objects.filter(stream=f"user:{user_id}", kind="SignedIn", payload__browser_id=browser_id).exists()
