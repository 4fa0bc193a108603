"""Set a password by a one-time link. The link ends with it; a password that is refused leaves it as it was."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from authorisation import security_log
from authorisation.domain.one_time import link_digest
from authorisation.domain.sessions import PASSWORD_CHANGED
from authorisation.locks import lock_link, lock_user
from authorisation.models import User
from authorisation.selectors import get_principal
from authorisation.services._events import record
from authorisation.services.change_password import set_password
from authorisation.services.end_sessions import end_sessions
from kernel.errors import NotFound

NO_LINK = "The link was used, is over, or never was. Ask an administrator for a new one."


def use_sign_in_link(*, token: str, at: datetime, new: str, again: str) -> User:
    """The person of the link, whose password is now ``new``. Raises NotFound LINK_UNKNOWN, Invalid PASSWORD_REFUSED."""
    with transaction.atomic():
        link = lock_link(link_digest(token))
        if link is None or link.ended_at is not None or link.expires_at <= at or not link.user.is_active:
            raise NotFound("LINK_UNKNOWN", NO_LINK)
        user = lock_user(link.user_id)
        actor = get_principal(user)
        set_password(user=user, actor=actor, at=at, new=new, again=again)
        link.ended_at = at
        link.save(update_fields=["ended_at"])
        end_sessions(actor=actor, at=at, user_id=user.pk, reason=PASSWORD_CHANGED)
        record(stream=f"user:{user.pk}", kind="SignInLinkUsed", actor=actor, at=at, payload={"link_id": str(link.id)})
    security_log.write("SIGN_IN_LINK_USED", user=actor.actor, link_id=link.id)
    return user
