"""Set a person's password: their own change of it, or the first or new one behind a one-time link."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from authorisation import security_log
from authorisation.domain.principal import Principal
from authorisation.domain.sessions import PASSWORD_CHANGED
from authorisation.locks import lock_user
from authorisation.models import User
from authorisation.services._events import record
from authorisation.services._former import keep_former
from authorisation.services.end_sessions import end_sessions
from kernel.errors import Invalid

LONGEST = 256


def change_password(*, actor: Principal, at: datetime, new: str, again: str, but: UUID | None = None) -> User:
    """The actor's own password becomes ``new``; every session of theirs ends except ``but``. Returns the user as it is now.

    Raises Invalid PASSWORD_REFUSED with what is wrong with it; then nothing changed.
    """
    with transaction.atomic():
        user = lock_user(actor.user_id)
        set_password(user=user, actor=actor, at=at, new=new, again=again)
        end_sessions(actor=actor, at=at, user_id=user.pk, but=but, reason=PASSWORD_CHANGED)
    security_log.write("PASSWORD_CHANGED", user=actor.actor)
    return user


def set_password(*, user: User, actor: Principal, at: datetime, new: str, again: str) -> None:
    """Check it against the rules and keep it, in the caller's transaction, the user being locked."""
    wrong: list[str] = []
    if new != again:
        wrong.append("The two are not the same.")
    if len(new) > LONGEST:
        wrong.append(f"It may have {LONGEST} characters at most.")
    if not wrong:
        try:
            validate_password(new, user)
        except ValidationError as refusal:
            wrong.extend(refusal.messages)
    if wrong:
        raise Invalid("PASSWORD_REFUSED", " ".join(wrong), {"new": wrong})
    keep_former(user, at=at)
    user.set_password(new)
    user.save(update_fields=["password"])
    record(stream=f"user:{user.pk}", kind="PasswordChanged", actor=actor, at=at, payload={})
