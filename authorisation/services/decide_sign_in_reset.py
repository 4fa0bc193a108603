"""A second administrator's word on a reset: approved, nothing the person had opens the door any more, at once.

The link by which the person begins anew is made when the administrator who asked collects it, and shown to them once: it
takes two to get there, and neither the database nor the checker's page ever holds the link.
"""

from __future__ import annotations

from authorisation.domain.one_time import SIGN_IN_RESET_KIND
from authorisation.domain.sessions import SIGN_IN_RESET
from authorisation.locks import lock_factors, lock_user
from authorisation.models import RecoveryCode, SignInLink, User
from authorisation.services._events import record
from authorisation.services._former import keep_former
from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from authorisation.services.end_sessions import end_sessions
from kernel.errors import NotPermitted


def _load(asking: Asking) -> User:
    return lock_user(int(asking.facts.subject_id))


def _guard(asking: Asking, user: User) -> None:
    if user.pk == asking.actor.user_id:
        raise NotPermitted("OWN_RESET", "It is about your own sign-in; another administrator must decide.")


def _apply(asking: Asking, user: User) -> Applied:
    if not user.is_active:
        raise NotApplied(f"{user.username} was cut off meanwhile.")
    keep_former(user, at=asking.at)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    SignInLink.objects.filter(user=user, ended_at__isnull=True).update(ended_at=asking.at)
    RecoveryCode.objects.filter(user=user).delete()
    for factor in lock_factors(user.pk):
        factor_id = factor.id
        factor.delete()
        record(
            stream=f"user:{user.pk}",
            kind="FactorRemoved",
            actor=asking.actor,
            at=asking.at,
            payload={"factor_id": str(factor_id), "kind": factor.kind, "name": factor.name, "reason": SIGN_IN_RESET},
        )
    end_sessions(actor=asking.actor, at=asking.at, user_id=user.pk, reason=SIGN_IN_RESET)
    record(
        stream=f"user:{user.pk}",
        kind="SignInReset",
        actor=asking.actor,
        at=asking.at,
        payload={"authorisation_id": str(asking.facts.id)},
    )
    return Applied(f"{user.username} cannot sign in until the link is used that {asking.facts.maker_name} may collect.")


def _decline(asking: Asking, user: User) -> str:
    return "The sign-in stays as it is."


_SUBJECT = Subject(kind=SIGN_IN_RESET_KIND, load=_load, guard=_guard, apply=_apply, decline=_decline)
decide_sign_in_reset = _SUBJECT.decide
"""Approve or decline; nobody decides about themselves (NotPermitted OWN_RESET). Raises as ``decide_request`` does."""
