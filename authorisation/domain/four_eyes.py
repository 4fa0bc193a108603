"""Whether this person may decide this request now, and if not, why. Pure; the page and the service ask the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from authorisation.domain.policy import policy_of
from authorisation.domain.principal import TRADE_DESK, VIEW_DESK, Principal
from authorisation.domain.transitions import APPROVED, DECLINED, LAPSED, NOT_APPLIED, PENDING, WITHDRAWN
from kernel.errors import Conflict, Invalid, NotPermitted, OmsError, Refused

APPROVE = "approve"
DECLINE = "decline"

_CLOSED_WORDS = {
    APPROVED: "It was approved already.",
    NOT_APPLIED: "It was approved, and could not be applied.",
    DECLINED: "It was declined already.",
    LAPSED: "It lapsed before anybody decided.",
    WITHDRAWN: "It was withdrawn.",
}


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """An authorisation request as read or locked."""

    id: UUID
    kind: str
    subject_type: str
    subject_id: str
    subject_version: int
    desk_id: int | None
    payload: Mapping[str, Any]
    payload_hash: str
    summary: str
    reasons: tuple[Any, ...]
    maker_id: int
    maker_name: str
    state: str
    outcome: str
    created_at: datetime
    expires_at: datetime
    closed_at: datetime | None


def visible_desks(actor: Principal) -> frozenset[int]:
    """Desks whose rows the actor may see: granted for view or for trade."""
    return actor.granted(VIEW_DESK) | actor.granted(TRADE_DESK)


def is_visible(facts: RequestFacts, actor: Principal) -> bool:
    """Own requests always; those of a desk when the desk is; those of no desk to whoever may decide them."""
    if facts.maker_id == actor.user_id:
        return True
    if facts.desk_id is not None:
        return facts.desk_id in visible_desks(actor)
    return policy_of(facts.kind).right in actor.rights


def _already_closed(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if facts.state == PENDING:
        return None
    context = {"authorisation_id": facts.id, "state": facts.state}
    return Conflict("AUTHORISATION_CLOSED", _CLOSED_WORDS[facts.state], context)


def _own_request(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if facts.maker_id != actor.user_id:
        return None
    return NotPermitted("SELF_APPROVAL", "You are the maker; a second person must decide.")


def _not_a_person(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if not actor.is_service and not actor.is_process:
        return None
    return NotPermitted("CHECKER_NOT_A_PERSON", "Only a person may decide, not a service.")


def _right_missing(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    policy = policy_of(facts.kind)
    if policy.right in actor.rights:
        return None
    sentence = f"Your role may not decide {policy.title.lower()} requests."
    return NotPermitted("RIGHT_MISSING", sentence, {"right": policy.right})


def _too_late(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if at < facts.expires_at:
        return None
    return Refused("AUTHORISATION_EXPIRED", "The time to decide is over; it must be asked for again.")


_RULES: tuple[Callable[[RequestFacts, Principal, datetime], OmsError | None], ...] = (
    _already_closed,
    _own_request,
    _not_a_person,
    _right_missing,
    _too_late,
)


def refusal(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    """Why the actor may not decide the request now, or None. The first rule that speaks wins."""
    for rule in _RULES:
        found = rule(facts, actor, at)
        if found is not None:
            return found
    return None


def require_decidable(facts: RequestFacts, actor: Principal, at: datetime, *, payload_hash: str) -> None:
    """Raise what :func:`refusal` found, or Conflict AUTHORISATION_CHANGED when another content was looked at."""
    found = refusal(facts, actor, at)
    if found is not None:
        raise found
    if payload_hash != facts.payload_hash:
        raise Conflict(
            "AUTHORISATION_CHANGED",
            "What you looked at is not what waits for a decision. Review it again.",
            {"authorisation_id": facts.id},
        )


def require_verdict(verdict: str, reason_code: str, reason: str) -> None:
    """Raise Invalid VERDICT_INVALID unless it is approve, or decline with a reason code and a reason."""
    fields: dict[str, list[str]] = {}
    if verdict not in (APPROVE, DECLINE):
        fields["verdict"] = ["The verdict must be approve or decline."]
    if verdict == DECLINE and not reason_code.strip():
        fields["reason_code"] = ["Choose why it is declined."]
    if verdict == DECLINE and not reason.strip():
        fields["reason"] = ["Say why it is declined."]
    if fields:
        raise Invalid("VERDICT_INVALID", "The decision is incomplete.", fields)
