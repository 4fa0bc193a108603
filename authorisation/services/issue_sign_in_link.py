"""Make a one-time link for somebody who has no password yet, or whose reset a second person approved. Shown once."""

from __future__ import annotations

import secrets
from datetime import datetime

from django.db import transaction

from authorisation import security_log
from authorisation.domain.one_time import LASTS, link_digest
from authorisation.domain.principal import Principal
from authorisation.locks import lock_user
from authorisation.models import AuthorisationRequest, Factor, SignInLink, User
from authorisation.permissions import require_administrator
from authorisation.services._events import record
from kernel.errors import NotFound, Refused
from kernel.ids import new_id


def issue_sign_in_link(
    *, actor: Principal, at: datetime, user_id: int, request: AuthorisationRequest | None = None
) -> str:
    """The token of a new link; earlier ones of the person end. It works once, for 24 hours.

    Without an approved ``request`` only for people who have neither password nor second factor: who made the person was
    decided by two already. Raises NotPermitted, NotFound USER_UNKNOWN, Refused RESET_NEEDED.
    """
    require_administrator(actor)
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        user = lock_user(user_id)
        if not user.is_active or user.kind != User.Kind.PERSON:
            raise NotFound("USER_UNKNOWN", "There is no such active person.")
        if request is None and (user.has_usable_password() or Factor.objects.filter(user=user).exists()):
            raise Refused(
                "RESET_NEEDED", "This person can sign in: a new link needs a reset that a second person approves."
            )
        SignInLink.objects.filter(user=user, ended_at__isnull=True).update(ended_at=at)
        link = SignInLink.objects.create(
            id=new_id(), user=user, digest=link_digest(token), request=request, created_at=at, expires_at=at + LASTS
        )
        record(
            stream=f"user:{user.pk}",
            kind="SignInLinkIssued",
            actor=actor,
            at=at,
            payload={"link_id": str(link.id), "expires_at": link.expires_at.isoformat()},
        )
    security_log.write("SIGN_IN_LINK_ISSUED", user=actor.actor, for_user=user.actor, link_id=link.id)
    return token
