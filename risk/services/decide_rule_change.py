"""A second person's word on a change of the rulebook, applied at once under its own version, or not at all.

Restrictions are decided by those who may see them; everything else by risk or compliance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction

from authorisation.domain.four_eyes import APPROVE, is_visible, require_decidable, require_verdict
from authorisation.domain.principal import Principal
from authorisation.locks import lock_request
from authorisation.services.record_decision import record_decision
from kernel.errors import Conflict, NotFound, OmsError
from risk.locks import lock_entry, lock_restriction
from risk.models import Restriction
from risk.permissions import SEE_RESTRICTIONS
from risk.rulebook.entries import CHANGEABLE, END, KIND, RESTRICTION, apply_change, as_entry, key_of, standing
from risk.services._events import record
from risk.services.request_restriction import why_digest

Asked = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RuleChangeDecided:
    """``outcome`` is applied, not_applied or declined."""

    authorisation_id: UUID
    outcome: str
    sentence: str


def decide_rule_change(
    *,
    actor: Principal,
    at: datetime,
    authorisation_id: UUID,
    verdict: str,
    reason_code: str,
    reason: str,
    payload_hash: str,
) -> RuleChangeDecided:
    """Approve or decline.

    Raises NotFound, NotPermitted (own request, no right, not a person), Conflict (closed, changed), Invalid, Refused
    AUTHORISATION_EXPIRED; then nothing changed.
    """
    with transaction.atomic():
        require_verdict(verdict, reason_code, reason)
        facts = lock_request(authorisation_id)
        if facts.kind != KIND or not is_visible(facts, actor):
            raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
        asked: Asked = facts.payload
        if asked["about"] == RESTRICTION:
            actor.require(SEE_RESTRICTIONS, "Compliance alone decides about restrictions.")
        require_decidable(facts, actor, at, payload_hash=payload_hash)
        obstacle = ""
        if verdict == APPROVE:
            obstacle = _try(asked, facts.subject_version, actor, facts.maker_id, authorisation_id, at)
        record_decision(
            actor=actor,
            at=at,
            authorisation_id=authorisation_id,
            verdict=verdict,
            reason_code=reason_code,
            reason=reason,
            payload_hash=payload_hash,
            not_applied_because=obstacle,
        )
    if verdict != APPROVE:
        return RuleChangeDecided(authorisation_id, "declined", f"Nothing changed about {asked['name']}.")
    if obstacle:
        return RuleChangeDecided(authorisation_id, "not_applied", obstacle)
    return RuleChangeDecided(authorisation_id, "applied", f"The change of {asked['name']} is in the rulebook.")


def _try(asked: Asked, version: int, actor: Principal, maker_id: int, authorisation_id: UUID, at: datetime) -> str:
    """Apply it, or why it cannot be applied to the rulebook of now: then nothing of it is kept."""
    who = {"maker_id": maker_id, "authorisation_id": str(authorisation_id)}
    try:
        with transaction.atomic():
            if asked["about"] == RESTRICTION:
                _apply_restriction(asked, version, actor, who, at)
            else:
                _apply(asked, version, actor, who, at)
    except OmsError as error:
        return error.sentence
    except IntegrityError:
        return f"Another change of {asked['name']} came first; it must be asked for again."
    return ""


def _apply(asked: Asked, version: int, actor: Principal, who: Mapping[str, Any], at: datetime) -> None:
    about, entry = asked["about"], asked["entry"]
    lock_entry(CHANGEABLE[about].model, key_of(about, entry))
    before = as_entry(about, standing(about, entry))
    now = apply_change(
        about=about,
        action=asked["action"],
        entry=entry,
        version=version,
        at=at,
        reason=asked["reason"],
        change_id=UUID(who["authorisation_id"]),
    )
    after = as_entry(about, standing(about, entry))
    payload = {
        "about": about,
        "action": asked["action"],
        "before": before,
        "after": after,
        "version": now,
        "reason": asked["reason"],
        "rulebook": rulebook_number(),
        **who,
    }
    record(stream=f"rulebook:{about}", kind="RuleChanged", actor=actor, at=at, payload=payload)


def _apply_restriction(asked: Asked, version: int, actor: Principal, who: Mapping[str, Any], at: datetime) -> None:
    row = lock_restriction(UUID(asked["restriction_id"]))
    if row is None or row.version != version or why_digest(row) != asked["why_sha256"]:
        raise Conflict("RULE_CHANGED", f"{asked['reference']} was changed meanwhile; it must be asked for again.")
    if asked["action"] == END:
        row.effective_until = max(at, row.effective_from)
    else:
        row.approved_at = at
        if row.list == Restriction.List.WATCH:
            row.swept_at = at  # a watch is silent: it sweeps nothing
    row.version, row.change_id = row.version + 1, UUID(who["authorisation_id"])
    row._history_date, row._change_reason = at, asked["action"]
    row.save()
    payload = {
        "about": RESTRICTION,
        "action": asked["action"],
        "restriction_id": str(row.id),
        "reference": row.reference,
        "why_sha256": asked["why_sha256"],
        "version": row.version,
        "rulebook": rulebook_number(),
        **who,
    }
    record(stream=f"rulebook:{RESTRICTION}", kind="RuleChanged", actor=actor, at=at, payload=payload)


def rulebook_number() -> int:
    """The number that the change gave the rulebook."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version FROM risk_rulebook")
        row = cursor.fetchone()
    return int(row[0]) if row else 0
