"""Whether this person may decide this request now, and if not, why. Pure; the page and the service ask the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from authorisation.domain.policy import policy_of
from authorisation.domain.principal import (
    TRADE_ACCOUNT_GROUP,
    TRADE_DESK,
    VIEW_ACCOUNT_GROUP,
    VIEW_DESK,
    Principal,
)
from authorisation.domain.stepping_up import require_confirmed
from authorisation.domain.transitions import (
    APPROVED,
    CLAIMED,
    DECIDABLE,
    DECLINED,
    LAPSED,
    NOT_APPLIED,
    OPEN,
    SENT_BACK,
    WITHDRAWN,
)
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
class Said:
    """An approval that stands while more are needed: whose, and when."""

    person_id: int
    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RequestFacts:
    """An authorisation request as read or locked. ``approvals`` are those of the version that stands.

    ``right`` and ``checkers`` are the policy of the moment it was raised; ``right`` is empty where none stood, and then
    nobody decides. ``maker_people`` are the people behind the maker and behind whom it acted for;
    ``maker_gone`` says that the maker was cut off since.
    """

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
    right: str
    checkers: int = 1
    version: int = 1
    value: Decimal | None = None
    currency: str = ""
    maker_people: frozenset[int] = frozenset()
    policy_id: int | None = None
    group_id: int | None = None
    claimed_by_id: int | None = None
    claimed_by: str = ""
    claimed_until: datetime | None = None
    question: str = ""
    asked_by: str = ""
    asked_at: datetime | None = None
    answer: str = ""
    approvals: tuple[Said, ...] = ()
    maker_gone: bool = False

    @property
    def is_open(self) -> bool:
        """Whether it waits: for a checker or for its maker."""
        return self.state in OPEN

    def claim_at(self, at: datetime) -> bool:
        """Whether somebody's claim holds at ``at``: a claim ends by itself."""
        return self.state == CLAIMED and self.claimed_until is not None and at < self.claimed_until

    def state_at(self, at: datetime) -> str:
        """The state as people see it: a claim whose time is over is none."""
        return DECIDABLE[0] if self.state == CLAIMED and not self.claim_at(at) else self.state


def visible_desks(actor: Principal) -> frozenset[int]:
    """Desks whose rows the actor may see: granted for view or for trade."""
    return actor.granted(VIEW_DESK) | actor.granted(TRADE_DESK)


def visible_groups(actor: Principal) -> frozenset[int]:
    """Account groups whose rows the actor may see: granted for view or for trade."""
    return actor.granted(VIEW_ACCOUNT_GROUP) | actor.granted(TRADE_ACCOUNT_GROUP)


def is_visible(facts: RequestFacts, actor: Principal) -> bool:
    """Own requests always; those of a desk when it is, and the account group they are about; others to who decides them."""
    if facts.maker_id == actor.user_id:
        return True
    if facts.desk_id is not None:
        sees_group = facts.group_id is None or facts.group_id in visible_groups(actor)
        return sees_group and facts.desk_id in visible_desks(actor)
    return facts.right in actor.rights


def people_behind(actor: Principal) -> frozenset[int]:
    """The person who acts, and whom it acts for: neither may be the second person of the other's request."""
    acted_for = actor.on_behalf_of.removeprefix("user:")
    return frozenset({actor.person_id, actor.user_id} | ({int(acted_for)} if acted_for.isdecimal() else set()))


def _already_closed(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if facts.is_open:
        return None
    context = {"authorisation_id": facts.id, "state": facts.state}
    return Conflict("AUTHORISATION_CLOSED", _CLOSED_WORDS[facts.state], context)


def _own_request(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if facts.maker_id == actor.user_id:
        return NotPermitted("SELF_APPROVAL", "You are the maker; a second person must decide.")
    if people_behind(actor) & facts.maker_people:
        return NotPermitted("SELF_APPROVAL", "The same person is behind its maker; a second person must decide.")
    return None


def _not_a_person(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if not actor.is_service and not actor.is_process:
        return None
    return NotPermitted("CHECKER_NOT_A_PERSON", "Only a person may decide, not a service.")


def _policy_missing(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if facts.right:
        return None
    return NotPermitted("POLICY_MISSING", "No policy says who may decide this, so nobody may.")


def _right_missing(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if facts.right in actor.rights:
        return None
    sentence = f"Your role may not decide {policy_of(facts.kind).title.lower()} requests."
    return NotPermitted("RIGHT_MISSING", sentence, {"right": facts.right})


def _with_the_maker(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if facts.state != SENT_BACK:
        return None
    return Conflict("SENT_BACK", f"{facts.asked_by} asked the maker something; it waits for the answer.")


def _said_already(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if all(said.person_id != actor.person_id for said in facts.approvals):
        return None
    return NotPermitted("APPROVED_ALREADY", "You said yes already; another person must, too.")


def _claimed_by_other(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if facts.claimed_by_id == actor.user_id or not facts.claim_at(at):
        return None
    context = {"claimed_by": facts.claimed_by, "claimed_until": facts.claimed_until}
    return Conflict("CLAIMED_BY_OTHER", f"{facts.claimed_by} looks at it now.", context)


def _too_late(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    if at < facts.expires_at:
        return None
    return Refused("AUTHORISATION_EXPIRED", "The time to decide is over; it must be asked for again.")


_RULES: tuple[Callable[[RequestFacts, Principal, datetime], OmsError | None], ...] = (
    _already_closed,
    _own_request,
    _not_a_person,
    _policy_missing,
    _right_missing,
    _said_already,
    _too_late,
    _with_the_maker,
    _claimed_by_other,
)


def refusal(facts: RequestFacts, actor: Principal, at: datetime) -> OmsError | None:
    """Why the actor may not decide the request now, or None. The first rule that speaks wins."""
    for rule in _RULES:
        found = rule(facts, actor, at)
        if found is not None:
            return found
    return None


def require_decidable(facts: RequestFacts, actor: Principal, at: datetime, *, payload_hash: str) -> None:
    """Raise what :func:`refusal` found, NotPermitted STEP_UP_NEEDED or DECISION_BY_TOKEN, or Conflict AUTHORISATION_CHANGED
    when another content was looked at."""
    require_checker(facts, actor, at)
    require_confirmed(actor)
    actor.used.add(facts.right)
    if payload_hash != facts.payload_hash:
        raise Conflict(
            "AUTHORISATION_CHANGED",
            "What you looked at is not what waits for a decision. Review it again.",
            {"authorisation_id": facts.id},
        )


def require_checker(facts: RequestFacts, actor: Principal, at: datetime) -> None:
    """Raise what :func:`refusal` found: for whoever claims it or asks the maker."""
    found = refusal(facts, actor, at)
    if found is not None:
        raise found


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
