"""Ask a second person to change the rulebook: a rule, a mandate, a collar, the marks of conduct. Nothing changes before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict, Invalid, NotFound
from risk.domain.rulebook.entering import TypedCondition, entered_rule
from risk.domain.rulebook.entering_marks import entered_collar, entered_mandate, entered_policy
from risk.locks import lock_subject
from risk.permissions import ASK_RISK_CHANGE, require_scope
from risk.rulebook.entries import (
    CHANGEABLE,
    COLLAR,
    KIND,
    MANDATE,
    RULE,
    SET,
    as_entry,
    standing,
    subject_of,
)

MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class RuleChangeAsked:
    """The question that waits for a second person."""

    authorisation_id: UUID
    sentence: str


def entered(about: str, given: Mapping[str, Any], conditions: Sequence[TypedCondition] = ()) -> dict[str, Any]:
    """What would be stored. Raises Invalid with one sentence a field: forms show it while one types."""
    if about == RULE:
        return entered_rule(given, conditions)
    if about == MANDATE:
        return entered_mandate(given)
    return entered_collar(given) if about == COLLAR else entered_policy(given)


def request_rule_change(
    *,
    actor: Principal,
    at: datetime,
    about: str,
    given: Mapping[str, Any],
    conditions: Sequence[TypedCondition] = (),
    action: str = SET,
    reason: str,
    trial: Mapping[str, Any] | None = None,
) -> RuleChangeAsked:
    """Ask for it. ``about`` is rule, mandate, collar or policy; to end or remove, ``given`` need hold the key alone.
    ``trial`` is what it would have done to past orders, for the second person.

    Raises NotPermitted RIGHT_MISSING, Invalid by field, NotFound (unknown scope, nothing to end), Conflict
    DECISION_PENDING; then nothing is kept.
    """
    actor.require(ASK_RISK_CHANGE, "Your role may not ask for changes of rules.")
    kind = CHANGEABLE.get(about)
    if kind is None or action not in (SET, kind.ends):
        raise Invalid("RULE_INVALID", "That cannot be changed so.")
    why = require_reason(reason)
    asked_key = {name: str(given.get(name) or "") for name in kind.key}
    entry = entered(about, given, conditions) if action == SET else asked_key
    with transaction.atomic():
        row = standing(about, entry)
        if action != SET:
            before = as_entry(about, row)
            if before is None:
                raise NotFound("RULE_UNKNOWN", "There is no such entry in the rulebook.")
            entry = before
        name = kind.called(entry)
        if entry.get("scope"):
            scope = require_scope(actor, entry["scope"], entry["scope_id"])
            name = f"{name} for {scope}" if about == RULE else f"the mandate of {scope}"
        subject = subject_of(about, entry)
        require_no_other(subject)
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type=about,
            subject_id=subject,
            subject_version=getattr(row, "version", 0) if row is not None else 0,
            payload={"about": about, "action": action, "name": name, "entry": entry, "reason": why, "trial": trial},
            summary=f"{_WORDS[action] if row is not None else 'New'}: {name}, because: {why}"[:500],
        )
    return RuleChangeAsked(raised.id, f"A change of {name} waits for a second person of risk or compliance.")


_WORDS = {SET: "Change", "end": "End", "remove": "Remove"}


def require_reason(reason: str) -> str:
    """The reason, trimmed; raises Invalid REASON_INVALID."""
    if not reason.strip() or len(reason) > MAX_REASON:
        sentence = f"Say why, in at most {MAX_REASON} characters."
        raise Invalid("REASON_INVALID", sentence, {"reason": [sentence]})
    return reason.strip()


def require_no_other(subject: str) -> None:
    """Raise Conflict DECISION_PENDING when a change of the subject waits already; the subject is locked until commit."""
    lock_subject(subject)
    waiting = AuthorisationRequest.objects.filter(kind=KIND, subject_id=subject, state__in=OPEN)
    if waiting.exists():
        raise Conflict("DECISION_PENDING", "A change of it waits for a second person already.")
