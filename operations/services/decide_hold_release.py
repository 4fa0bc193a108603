"""A second person's word on the release of a legal hold."""

from __future__ import annotations

from uuid import UUID

from authorisation.services.decide_request import Applied, Asking, Subject
from journal.locks import lock_hold
from journal.models import LegalHold
from journal.services.release_hold import release_hold
from operations.services.ask_hold_release import KIND


def _load(asking: Asking) -> LegalHold:
    return lock_hold(UUID(asking.payload["hold_id"]))


def _apply(asking: Asking, hold: LegalHold) -> Applied:
    release_hold(
        actor=asking.actor.actor,
        on_behalf_of=asking.actor.on_behalf_of,
        at=asking.at,
        hold_id=hold.id,
        asked_by=f"user:{asking.facts.maker_id}",
        reason=asking.payload["reason"],
    )
    return Applied(f"The hold of matter {hold.matter} is released; what no other hold keeps may now be removed.")


def _decline(asking: Asking, hold: LegalHold) -> str:
    return f"The hold of matter {hold.matter} stands."


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_hold_release = _SUBJECT.decide
"""Approve or decline. Raises as ``authorisation.services.decide_request`` does; then nothing changed."""
