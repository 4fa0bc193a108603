"""People who ask for and decide about the rulebook, and changes made by both of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from authorisation.domain.principal import Principal
from authorisation.models import AuthorisationRequest
from authorisation.services.decide_request import Decided
from risk.domain.rulebook.entering import TypedCondition
from risk.models import Restriction
from risk.services.decide_rule_change import decide_rule_change
from risk.services.request_restriction import request_restriction
from risk.services.request_rule_change import request_rule_change
from tests.factories import AT, DeskWorld

RISK_RIGHTS = frozenset({"ask_risk_change", "decide_risk_change"})
COMPLIANCE_RIGHTS = RISK_RIGHTS | {"see_restrictions"}
BEFORE = AT - timedelta(hours=1)
RULE: dict[str, Any] = {
    "code": "NO_LONDON",
    "title": "No orders in London",
    "scope": "firm",
    "scope_id": "",
    "verdict": "refuse",
    "sentence": "Nothing is traded in London today.",
    "source": "Trading policy 4.2",
    "reason": "An exercise",
    "owner": "compliance",
    "effective_from": BEFORE,
    "effective_until": None,
}
LONDON = (TypedCondition("market", "in", "XLON"),)


def people(world: DeskWorld, *, rights: frozenset[str] = COMPLIANCE_RIGHTS) -> tuple[Principal, Principal]:
    """Who asks and who decides, both of compliance unless told."""
    return replace(world.dealer, rights=rights), replace(world.checker, rights=rights)


def decide(
    checker: Principal, authorisation_id: UUID, *, verdict: str = "approve", at: datetime = AT, **changes: Any
) -> Decided:
    """The second person's word on what was asked."""
    asked = AuthorisationRequest.objects.get(id=authorisation_id)
    given: dict[str, Any] = {"reason_code": "OTHER", "reason": "looked at it", "payload_hash": asked.payload_hash}
    return decide_rule_change(
        actor=checker, at=at, authorisation_id=authorisation_id, verdict=verdict, **(given | changes)
    )


def lay_down(
    world: DeskWorld, *, conditions: tuple[TypedCondition, ...] = LONDON, at: datetime = BEFORE, **changes: Any
) -> None:
    """A rule, asked for and approved."""
    maker, checker = people(world)
    asked = request_rule_change(
        actor=maker, at=at, about="rule", given=RULE | changes, conditions=conditions, reason="needed"
    )
    assert decide(checker, asked.authorisation_id, at=at).outcome == "applied"


def restrict(world: DeskWorld, *, at: datetime = BEFORE, **changes: Any) -> Restriction:
    """The world's instrument on a list, asked for and approved."""
    maker, checker = people(world)
    asked = request_restriction(actor=maker, at=at, given=restriction_of(world) | changes)
    assert decide(checker, asked.authorisation_id, at=at).outcome == "applied"
    return Restriction.objects.latest("reference")


def restriction_of(world: DeskWorld) -> dict[str, Any]:
    """What is typed for one."""
    return {
        "list": "restricted",
        "subject": "instrument",
        "subject_id": str(world.listing.instrument_id),
        "scope": "firm",
        "scope_id": "",
        "sides": "both",
        "sweep": "list",
        "source": "Project Nightjar insider list",
        "reason": "Advising on the takeover",
        "owner": "compliance",
        "effective_from": BEFORE,
        "effective_until": None,
    }
