"""A second person's word on a mark for rates: approved, the next version is written in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authorisation.services.decide_request import Applied, Asking, Subject
from risk.domain.rates import RateKind, RateMark
from risk.services.request_rate_change import KIND
from risk.services.set_rate_mark import set_rate_mark


def _load(asking: Asking) -> None:
    """The marks are versions: there is nothing to lock, the newest wins."""


def _apply(asking: Asking, case: None) -> Applied:
    asked = asking.payload
    mark = mark_of_payload(asked)
    since = datetime.fromisoformat(asked["effective_from"]) if asked["effective_from"] else asking.at
    set_rate_mark(
        actor=asking.actor,
        at=asking.at,
        mark=mark,
        effective_from=max(since, asking.at),
        set_by=f"user:{asking.facts.maker_id}",
        reason=asked["reason"],
    )
    return Applied(f"From now on {mark.words}.")


def _decline(asking: Asking, case: None) -> str:
    return "The rate stays as it is."


def mark_of_payload(payload: Mapping[str, Any]) -> RateMark:
    """The mark that was asked for."""
    return RateMark(
        kind=RateKind(payload["kind"]),
        amount=payload["amount"],
        seconds=payload["seconds"],
        burst=payload["burst"],
        share=payload["share"],
        pause_s=payload["pause_s"],
        subject=payload["subject"],
    )


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_rate_change = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
