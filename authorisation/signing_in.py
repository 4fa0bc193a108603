"""The edge between a request and a session: who is coming in, how far they are, and the cookie they leave with.

Between the password and the session stands a half-open session that knows whose password was right and since when, and
is good for nothing else. Whatever raises what a session may do gives it a new cookie.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.contrib.auth import login, logout
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from authorisation.domain.principal import Principal
from authorisation.domain.sessions import SIGNED_OUT, device_name
from authorisation.models import User
from authorisation.services.end_sessions import end_sessions
from authorisation.services.record_sign_in import Browser, record_sign_in
from authorisation.session_store import ABOUT
from authorisation.sources import source_of
from kernel.ids import new_id

PASSWORD = "password"  # noqa: S105 - the name of a factor
BROWSER_COOKIE = f"{settings.COOKIE_PREFIX}oms-browser"
BROWSER_COOKIE_AGE = 365 * 24 * 3600
_BROWSER_SECRET = re.compile(r"[A-Za-z0-9_-]{32,64}")


HELD = "oms_held"  # the id of whose password was right, and since when


def hold(request: HttpRequest, user: User, *, at: datetime, target: str) -> None:
    """The password was right; what is left is the second factor. Its cookie is new too."""
    request.session.flush()
    request.session[HELD] = {
        "user_id": user.pk,
        "hash": user.get_session_auth_hash(),
        "at": at.isoformat(),
        "next": target,
    }


def held_user(request: HttpRequest, *, at: datetime) -> User | None:
    """Whose password was right a moment ago, unless it was changed or the person disabled since."""
    held = request.session.get(HELD)
    if held is None or at - datetime.fromisoformat(held["at"]) >= settings.SESSION_TIMES.unfinished:
        return None
    user = User.objects.filter(pk=held["user_id"], is_active=True, kind=User.Kind.PERSON).first()
    if user is None or not constant_time_compare(held["hash"], user.get_session_auth_hash()):
        return None
    return user


def held_target(request: HttpRequest) -> str:
    """Where the person wanted to go."""
    return str(request.session.get(HELD, {}).get("next", settings.LOGIN_REDIRECT_URL))


def open_session(request: HttpRequest, user: User, *, factor: str, at: datetime) -> None:
    """Sign the person in under a new cookie; ``factor`` says with what (password, totp, webauthn, recovery_code)."""
    secret = request.COOKIES.get(BROWSER_COOKIE, "")
    secret = secret if _BROWSER_SECRET.fullmatch(secret) else secrets.token_urlsafe(32)
    browser = Browser(
        browser_id=hashlib.sha256(secret.encode()).hexdigest()[:32],
        device=device_name(request.headers.get("User-Agent", "")),
        source=source_of(request),
    )
    session_id = new_id()
    request.session.flush()  # nothing of before comes along, and its cookie is worth nothing
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    request.session[ABOUT] = {
        "id": str(session_id),
        "started_at": at.isoformat(),
        "source": browser.source,
        "device": browser.device,
        "factor": factor,
        "has_factor": factor != PASSWORD,
    }
    record_sign_in(user=user, at=at, session_id=session_id, factor=factor, browser=browser)
    vars(request)["browser_secret"] = secret


def remember_browser(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Leave the browser's cookie with the answer to a sign-in, so that it is known next time."""
    secret = vars(request).get("browser_secret")
    if secret:
        response.set_cookie(
            BROWSER_COOKIE,
            secret,
            max_age=BROWSER_COOKIE_AGE,
            secure=settings.SECURE,
            httponly=True,
            samesite="Strict",
            path="/",
        )
    return response


def session_id_of(request: HttpRequest) -> UUID | None:
    """The id of the session that asks; None for one that began before ids were kept."""
    text = request.session.get(ABOUT, {}).get("id")
    return UUID(text) if text else None


def close_session(request: HttpRequest, actor: Principal | None, at: datetime) -> None:
    """Sign out: the session ends, and an event says so when there was one."""
    session_id = session_id_of(request)
    if actor is not None and session_id is not None:
        end_sessions(actor=actor, at=at, user_id=actor.user_id, session_id=session_id, reason=SIGNED_OUT)
    logout(request)
