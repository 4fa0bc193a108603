"""What a page needs to give somebody a second factor, and what it does with the answer: the edge of ``enrol_totp``.

The secret offered waits, sealed, in the session: a page drawn again offers the same one, and nothing is a person's
factor before its first code or signature was right.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import segno
from django.http import HttpRequest
from django.utils.safestring import mark_safe
from pyotp import TOTP, random_base32

from authorisation.authenticators import enrol_options, read_enrolment
from authorisation.models import User
from authorisation.sealing import seal, unseal
from authorisation.services.enrol_authenticator import enrol_authenticator
from authorisation.services.enrol_totp import enrol_totp
from kernel.errors import InvariantBroken, Refused

OFFERED = "oms_offered"
ISSUER = "OMS"


def offer(request: HttpRequest, user: User) -> dict[str, Any]:
    """The picture and the letters of an app's secret, and the options for a key."""
    secret = _offered(request, user)
    if not secret:
        secret = random_base32(32)
        request.session[OFFERED] = seal(secret.encode(), about=f"offer:{user.pk}")
    address = TOTP(secret).provisioning_uri(name=user.username, issuer_name=ISSUER)
    picture = segno.make(address, error="m").svg_inline(scale=4, dark="#000", light="#fff")
    return {
        "picture": mark_safe(picture),  # noqa: S308 - drawn by segno from our own address: no text of anybody's in it
        "letters": " ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        "key_options": enrol_options(request, user),
    }


def take(request: HttpRequest, user: User, *, at: datetime) -> str:
    """Enrol what was answered; returns its kind. Raises Refused CODE_WRONG, KEY_WRONG, FACTORS_TOO_MANY, Conflict."""
    name = request.POST.get("name", "")[:60]
    answer = request.POST.get("key_answer", "")[:20_000]
    if answer:
        verified = read_enrolment(request, answer)
        if verified is None:
            raise Refused("KEY_WRONG", "The key did not answer as it should. Try again.")
        enrol_authenticator(user=user, at=at, verified=verified, name=name)
        kind = "webauthn"
    else:
        secret = _offered(request, user)
        enrol_totp(
            user=user, at=at, secret=secret or random_base32(), code=request.POST.get("code", "")[:20], name=name
        )
        kind = "totp"
    request.session.pop(OFFERED, None)
    return kind


def _offered(request: HttpRequest, user: User) -> str:
    kept = request.session.get(OFFERED)
    try:
        return unseal(kept, about=f"offer:{user.pk}").decode() if kept else ""
    except InvariantBroken:  # offered to somebody else in this browser, or under a key that is gone
        return ""
