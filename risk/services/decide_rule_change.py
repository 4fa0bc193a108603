"""A second person's word on a change of the rulebook, applied at once under its own version, or not at all.

Restrictions are decided by those who may see them; everything else by risk or compliance.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection

from authorisation.domain.principal import Principal
from authorisation.services.decide_request import Applied, Asking, Subject
from kernel.errors import Conflict
from risk.locks import lock_entry, lock_restriction
from risk.models import Restriction
from risk.permissions import SEE_RESTRICTIONS
from risk.rulebook.entries import CHANGEABLE, END, KIND, RESTRICTION, apply_change, as_entry, key_of, standing
from risk.services._events import record
from risk.services.request_restriction import why_digest

Asked = Mapping[str, Any]


def _load(asking: Asking) -> None:
    if asking.payload["about"] == RESTRICTION:
        asking.actor.require(SEE_RESTRICTIONS, "Compliance alone decides about restrictions.")


def _apply(asking: Asking, case: None) -> Applied:
    asked: Asked = asking.payload
    who = {"maker_id": asking.facts.maker_id, "authorisation_id": str(asking.facts.id)}
    change = _change_restriction if asked["about"] == RESTRICTION else _change_entry
    try:
        change(asked, asking.facts.subject_version, asking.actor, who, asking.at)
    except IntegrityError as error:
        sentence = f"Another change of {asked['name']} came first; it must be asked for again."
        raise Conflict("RULE_CHANGED", sentence) from error
    return Applied(f"The change of {asked['name']} is in the rulebook.")


def _decline(asking: Asking, case: None) -> str:
    return f"Nothing changed about {asking.payload['name']}."


def _change_entry(asked: Asked, version: int, actor: Principal, who: Mapping[str, Any], at: datetime) -> None:
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


def _change_restriction(asked: Asked, version: int, actor: Principal, who: Mapping[str, Any], at: datetime) -> None:
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


_SUBJECT = Subject(KIND, _load, _apply, _decline)
decide_rule_change = _SUBJECT.decide
"""Approve or decline.

Raises as ``authorisation.services.decide_request`` does; then nothing changed.
"""
