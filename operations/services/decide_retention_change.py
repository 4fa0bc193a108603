"""A second person's word on how long records are kept."""

from __future__ import annotations

from authorisation.services.decide_request import Applied, Asking, NotApplied, Subject
from journal.domain.retention import class_of
from journal.selectors.retention import kept_days
from journal.services.set_retention import set_retention
from operations.services.ask_retention_change import KIND


def _load(asking: Asking) -> None:
    """Rules are only ever added: there is no row to lock."""


def _apply(asking: Asking, case: None) -> Applied:
    asked = asking.payload
    if kept_days(asked["record_class"], at=asking.at) != asked["was_days"]:
        raise NotApplied("How long these records are kept has changed since it was asked.")
    set_retention(
        actor=asking.actor.actor,
        on_behalf_of=asking.actor.on_behalf_of,
        at=asking.at,
        record_class=asked["record_class"],
        kept_days=asked["kept_days"],
        reason=asked["reason"],
        asked_by=f"user:{asking.facts.maker_id}",
    )
    return Applied(f"{class_of(asked['record_class']).title} are kept {asked['kept_days']:,} days from now on.")


def _decline(asking: Asking, case: None) -> str:
    return "Nothing changes."


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_retention_change = _SUBJECT.decide
"""Approve or decline. Raises as ``authorisation.services.decide_request`` does; then nothing changed."""
