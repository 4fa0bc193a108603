"""A second person's word on a mark for rates: approved, the next version is written in the same transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from authorisation.domain.four_eyes import APPROVE, is_visible, require_decidable, require_verdict
from authorisation.domain.principal import Principal
from authorisation.locks import lock_request
from authorisation.services.record_decision import record_decision
from kernel.errors import NotFound
from risk.domain.rates import RateKind, RateMark
from risk.services.request_rate_change import KIND
from risk.services.set_rate_mark import set_rate_mark


@dataclass(frozen=True, slots=True)
class RateDecided:
    """``outcome`` is applied or declined."""

    authorisation_id: UUID
    outcome: str
    sentence: str


def decide_rate_change(
    *,
    actor: Principal,
    at: datetime,
    authorisation_id: UUID,
    verdict: str,
    reason_code: str,
    reason: str,
    payload_hash: str,
) -> RateDecided:
    """Approve or decline.

    Raises NotFound, NotPermitted (own request, no right, not a person), Conflict (closed, changed), Invalid, Refused
    AUTHORISATION_EXPIRED; then nothing changed.
    """
    with transaction.atomic():
        require_verdict(verdict, reason_code, reason)
        facts = lock_request(authorisation_id)
        if facts.kind != KIND or not is_visible(facts, actor):
            raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
        require_decidable(facts, actor, at, payload_hash=payload_hash)
        record_decision(
            actor=actor,
            at=at,
            authorisation_id=authorisation_id,
            verdict=verdict,
            reason_code=reason_code,
            reason=reason,
            payload_hash=payload_hash,
        )
        if verdict != APPROVE:
            return RateDecided(authorisation_id, "declined", "The rate stays as it is.")
        asked = facts.payload
        mark = mark_of_payload(asked)
        since = datetime.fromisoformat(asked["effective_from"]) if asked["effective_from"] else at
        set_rate_mark(
            actor=actor,
            at=at,
            mark=mark,
            effective_from=max(since, at),
            set_by=f"user:{facts.maker_id}",
            reason=asked["reason"],
        )
    return RateDecided(authorisation_id, "applied", f"From now on {mark.words}.")


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
