"""A second administrator's word on a key that signs: approved, it is made at once, and its secret waits for who asked."""

from __future__ import annotations

from datetime import timedelta

from authorisation.domain.key_change import KIND, KeyChange, from_payload
from authorisation.models import ApiKey, User
from authorisation.services.decide_request import Applied, Asking, Subject
from authorisation.services.issue_signed_key import issue_signed_key
from authorisation.services.rotate_signed_key import rotate_signed_key
from kernel.errors import NotPermitted


def _load(asking: Asking) -> KeyChange:
    return from_payload(asking.payload)


def _guard(asking: Asking, change: KeyChange) -> None:
    if User.objects.filter(pk=change.user_id, responsible_id=asking.actor.user_id).exists():
        raise NotPermitted("OWN_RIGHTS", "You answer for this service account; another administrator must decide.")


def _apply(asking: Asking, change: KeyChange) -> Applied:
    if change.replaces is not None:
        made = rotate_signed_key(
            actor=asking.actor, at=asking.at, key_id=change.replaces, overlap=timedelta(seconds=change.overlap_s)
        )
    else:
        made = issue_signed_key(
            actor=asking.actor, at=asking.at, user_id=change.user_id, terms=change.terms, expires_at=change.expires_at
        )
    ApiKey.objects.filter(pk=made.id).update(secret_for_id=asking.facts.maker_id)
    return Applied(f"{change.words}: made. Who asked fetches its secret on the page of keys.")


def _decline(asking: Asking, change: KeyChange) -> str:
    return "No key is made."


_SUBJECT = Subject(KIND, _load, _apply, _decline, guard=_guard)
decide_api_key = _SUBJECT.decide
"""Approve or decline; who answers for the service account does not decide about its keys (NotPermitted OWN_RIGHTS).

Raises as ``decide_request`` does; then nothing changed.
"""
