"""Ask a second person for the next version of a rule: what may differ, what a break stops, what others call our things."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest
from authorisation.services.raise_request import raise_request
from kernel.errors import Conflict
from reconciliation.domain.rule_changes import RuleChange, read_change
from reconciliation.locks import lock_rule
from reconciliation.permissions import require_work
from reconciliation.selectors.rule_changes import KIND, known_places, standing
from reconciliation.services._repairing import Asked, once, require_reason


def ask_rule_change(
    *,
    actor: Principal,
    at: datetime,
    idempotency_key: str,
    route: str,
    rule: str,
    said: Mapping[str, Any],
    reason: str,
) -> Asked:
    """Ask for it. ``said`` names the rule and its values (``domain.rule_changes``).

    Raises NotPermitted RIGHT_MISSING, Invalid (RULE_INVALID, REASON_INVALID), Conflict (RULE_UNCHANGED, CHANGE_PENDING).
    """
    require_work(actor)
    why, change = require_reason(reason), read_change(rule, said, known=known_places() if rule == "feed" else None)

    def question() -> Asked:
        lock_rule(change.subject)
        version, before = standing(change)
        _require_news(change, before)
        summary = _summary(change, before)
        raised = raise_request(
            actor=actor,
            at=at,
            kind=KIND,
            subject_type="recon_rule",
            subject_id=change.subject,
            subject_version=version,
            payload={
                "rule": rule, "scope": dict(change.scope), "value": dict(change.value), "before": before,
                "version": version, "reason": why,
            },
            summary=summary[:500],
        )  # fmt: skip
        return Asked(raised.id, f"It waits for a second person: {summary}")

    content = {"rule": rule, "scope": dict(change.scope), "value": dict(change.value), "reason": why}
    return once(actor=actor, at=at, route=route, key=idempotency_key, content=content, question=question)


def _require_news(change: RuleChange, before: Mapping[str, str]) -> None:
    if dict(change.value) == before or (change.rule == "name" and not before and not change.value["ours"]):
        raise Conflict("RULE_UNCHANGED", "The rule says so already.")
    waiting = AuthorisationRequest.objects.filter(kind=KIND, subject_id=change.subject, state__in=OPEN)
    if waiting.exists():
        raise Conflict("CHANGE_PENDING", "A change of this rule waits for a second person already.")


def _summary(change: RuleChange, before: Mapping[str, str]) -> str:
    """Of a feed that is there, what differs alone: nobody reads twenty terms."""
    if change.rule != "feed" or not before:
        return f"{change.subject}: {_words(change.value)}" + (f" instead of {_words(before)}" if before else "")
    changed = {name: text for name, text in change.value.items() if before[name] != text}
    return f"{change.subject}: {_words(changed)} instead of {_words({name: before[name] for name in changed})}"


def _words(value: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {text or 'none'}" for name, text in value.items())
