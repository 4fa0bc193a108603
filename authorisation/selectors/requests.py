"""Reads of what waits for a second person. What an actor may not see does not exist for them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from authorisation.domain.four_eyes import RequestFacts, is_visible, refusal, visible_desks
from authorisation.domain.policy import POLICIES, policy_of
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import PENDING
from authorisation.models import AuthorisationRequest
from kernel.errors import NotFound

TABS = ("mine", "raised", "all", "decided")


@dataclass(frozen=True, slots=True)
class RequestItem:
    """A request in a list. ``why_not`` is empty when the actor may decide it now, else one sentence."""

    facts: RequestFacts
    title: str
    seconds_left: int
    why_not: str

    @property
    def may_decide(self) -> bool:
        return not self.why_not


def facts_of(row: AuthorisationRequest) -> RequestFacts:
    """A row as plain facts."""
    return RequestFacts(
        id=row.id,
        kind=row.kind,
        subject_type=row.subject_type,
        subject_id=row.subject_id,
        subject_version=row.subject_version,
        desk_id=row.desk_id,
        payload=row.payload,
        payload_hash=row.payload_hash,
        summary=row.summary,
        reasons=tuple(row.reasons),
        maker_id=row.maker_id,
        maker_name=row.maker.username,
        state=str(row.state),
        outcome=row.outcome,
        created_at=row.created_at,
        expires_at=row.expires_at,
        closed_at=row.closed_at,
    )


def _item(row: AuthorisationRequest, actor: Principal, at: datetime) -> RequestItem:
    facts = facts_of(row)
    found = refusal(facts, actor, at)
    return RequestItem(
        facts=facts,
        title=policy_of(facts.kind).title,
        seconds_left=int((facts.expires_at - at).total_seconds()) if facts.state == PENDING else 0,
        why_not=found.sentence if found else "",
    )


def visible_requests(actor: Principal) -> QuerySet[AuthorisationRequest]:
    """Own requests, those of visible desks, and those of no desk that the actor's rights decide."""
    decided_by_me = [kind for kind, policy in POLICIES.items() if policy.right in actor.rights]
    return AuthorisationRequest.objects.select_related("maker").filter(
        Q(maker_id=actor.user_id)
        | Q(desk_id__in=visible_desks(actor))
        | Q(desk_id__isnull=True, kind__in=decided_by_me)
    )


def list_requests(actor: Principal, tab: str, *, at: datetime, limit: int = 200) -> list[RequestItem]:
    """Requests of a tab: mine (I may decide now), raised (I am the maker, open), all (open), decided (closed).

    Open ones by time left, closed ones by latest; raises ValueError for another tab.
    """
    if tab not in TABS:
        raise ValueError(f"{tab!r} is no tab; use one of {', '.join(TABS)}")
    rows = visible_requests(actor)
    if tab == "decided":
        rows = rows.exclude(state=PENDING).order_by("-closed_at", "id")
    else:
        rows = rows.filter(state=PENDING).order_by("expires_at", "id")
    if tab == "raised":
        rows = rows.filter(maker_id=actor.user_id)
    if tab == "mine":
        rows = rows.exclude(maker_id=actor.user_id)
    items = [_item(row, actor, at) for row in rows[:limit]]
    return [item for item in items if item.may_decide] if tab == "mine" else items


def count_requests(actor: Principal, *, at: datetime) -> dict[str, int]:
    """How many requests each of the open tabs holds (up to 200 each)."""
    return {tab: len(list_requests(actor, tab, at=at)) for tab in ("mine", "raised", "all")}


def get_request(actor: Principal, request_id: UUID, *, at: datetime) -> RequestItem:
    """One request; raises NotFound AUTHORISATION_UNKNOWN when the actor may not see it."""
    row: Any = AuthorisationRequest.objects.select_related("maker").filter(pk=request_id).first()
    if row is None or not is_visible(facts_of(row), actor):
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    return _item(row, actor, at)
