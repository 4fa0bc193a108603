"""Confirming who one is before deciding: when it is asked for, and what counts.

Deciding about what needs a second person, and changing who may do what, want a second factor shown within the last
minutes (``OMS_STEP_UP_MINUTES``) of this session; having signed in does not count, so that the first decision of a session
always asks. Whoever has no second factor, where that is allowed, confirms by password. Bearer tokens confirm nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from authorisation import security_log
from authorisation.authenticators import check_key, prove_options
from authorisation.domain.principal import Principal
from authorisation.domain.stepping_up import ALWAYS, require_confirmed
from authorisation.models import Factor, User
from authorisation.selectors import get_principal
from authorisation.services._events import record
from authorisation.services.check_code import check_code
from authorisation.services.check_sign_in import check_sign_in
from authorisation.session_store import ABOUT
from authorisation.signing_in import PASSWORD, session_id_of
from authorisation.sources import source_of

CONFIRMED_AT = "oms_confirmed_at"


def must_confirm(request: HttpRequest, *, at: datetime) -> bool:
    """Whether this session must confirm before it decides: by policy, unless it did so a moment ago. Reads no table."""
    if settings.STEP_UP != ALWAYS and not request.session.get(ABOUT, {}).get("has_factor"):
        return False
    return not is_recent(request, at=at)


def is_recent(request: HttpRequest, *, at: datetime) -> bool:
    """Whether this session confirmed within the last minutes."""
    text = str(request.session.get(CONFIRMED_AT) or "")
    return bool(text) and at - datetime.fromisoformat(text) < settings.STEP_UP_FOR


def require_recent(request: HttpRequest, actor: Principal, *, at: datetime) -> None:
    """Raise NotPermitted STEP_UP_NEEDED unless confirmed a moment ago, whatever the policy: one's own factors change."""
    if not is_recent(request, at=at):
        require_confirmed(actor, must=True)


def ways_of(request: HttpRequest, user: User) -> dict[str, Any]:
    """What a page offers to confirm with: the app's code, a key (its challenge as JSON), or the password."""
    kinds = set(Factor.objects.filter(user=user).values_list("kind", flat=True))
    return {
        "has_app": Factor.Kind.TOTP in kinds,
        "has_factor": bool(kinds),
        "key_options": prove_options(request, user) if Factor.Kind.WEBAUTHN in kinds else "",
    }


def prove(request: HttpRequest, user: User, *, at: datetime) -> str:
    """The factor that was shown right (totp, webauthn, recovery_code), or empty."""
    answer = request.POST.get("key_answer", "")[:20_000]
    if answer:
        return "webauthn" if check_key(request, user, answer, at=at) else ""
    return check_code(user=user, code=request.POST.get("code", "")[:40], at=at, source=source_of(request))


def step_up(request: HttpRequest, user: User, *, at: datetime) -> bool:
    """Take the answer of the person signed in. When right, the session has a new cookie and may decide for a while."""
    if Factor.objects.filter(user=user).exists():
        factor = prove(request, user, at=at)
    else:
        given = request.POST.get("password", "")[:256]
        factor = (
            PASSWORD if check_sign_in(request=request, username=user.username, password=given, at=at) == user else ""
        )
    if not factor:
        return False
    confirm(request, user, factor=factor, at=at)
    return True


def confirm(request: HttpRequest, user: User, *, factor: str, at: datetime) -> None:
    """The person has just shown ``factor``."""
    request.session[CONFIRMED_AT] = at.isoformat()
    request.session.cycle_key()
    session_id = session_id_of(request)
    record(
        stream=f"user:{user.pk}",
        kind="SteppedUp",
        actor=get_principal(user),
        at=at,
        payload={"session_id": str(session_id or ""), "factor": factor, "source": source_of(request)},
    )
    security_log.write("STEPPED_UP", user=user.actor, source=source_of(request), factor=factor)
