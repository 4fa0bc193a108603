"""Ask a second administrator to let somebody begin anew: password, second factors and sessions end, and a link is due."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation.domain.one_time import SIGN_IN_RESET_KIND
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest, User
from authorisation.permissions import require_administrator
from authorisation.services.raise_request import RaisedRequest, raise_request
from kernel.errors import Conflict, Invalid, NotFound, NotPermitted


def request_sign_in_reset(*, actor: Principal, at: datetime, username: str, reason: str) -> RaisedRequest:
    """Raise the request that another administrator decides with ``decide_sign_in_reset``.

    Raises NotPermitted RIGHT_MISSING or OWN_RESET, NotFound USER_UNKNOWN, Invalid REASON_MISSING, Conflict RESET_WAITS.
    """
    require_administrator(actor, confirmed=False)
    if not reason.strip():
        raise Invalid("REASON_MISSING", "Say why, and how you know who asked.", {"reason": ["Say why."]})
    user = User.objects.filter(username=username, kind=User.Kind.PERSON, is_active=True).first()
    if user is None:
        raise NotFound("USER_UNKNOWN", "There is no such active person.")
    if user.pk == actor.user_id:
        raise NotPermitted("OWN_RESET", "Another administrator must ask for yours.")
    with transaction.atomic():
        waiting = AuthorisationRequest.objects.filter(kind=SIGN_IN_RESET_KIND, subject_id=str(user.pk), state__in=OPEN)
        if waiting.exists():
            raise Conflict("RESET_WAITS", "A reset of this person waits for a decision already.")
        return raise_request(
            actor=actor,
            at=at,
            kind=SIGN_IN_RESET_KIND,
            subject_type="user",
            subject_id=str(user.pk),
            subject_version=1,
            payload={"user_id": user.pk, "username": user.username, "reason": reason.strip()},
            summary=f"Reset the sign-in of {user.username}",
        )
