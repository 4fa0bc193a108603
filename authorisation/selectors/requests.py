"""Reads of what waits for a second person. What an actor may not see does not exist for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q, QuerySet

from authorisation.domain.four_eyes import RequestFacts, Said, is_visible, refusal, visible_desks, visible_groups
from authorisation.domain.policy import policy_of
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import OPEN
from authorisation.models import AuthorisationRequest, Decision
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


def facts_of(row: AuthorisationRequest, approvals: tuple[Said, ...] | None = None) -> RequestFacts:
    """A row as plain facts. Where one approval is enough none can stand beside an open request: nothing is read."""
    if approvals is None:
        approvals = approvals_of([row])[row.id]
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
        right=row.right,
        checkers=row.checkers,
        version=row.version,
        value=row.value,
        currency=row.currency,
        maker_people=frozenset(filter(None, (row.maker_person_id, row.maker_for_id))),
        policy_id=row.policy_id,
        group_id=row.group_id,
        claimed_by_id=row.claimed_by_id,
        claimed_by=row.claimed_by.username if row.claimed_by else "",
        claimed_until=row.claimed_until,
        question=row.question,
        asked_by=row.asked_by.username if row.asked_by else "",
        asked_at=row.asked_at,
        answer=row.answer,
        approvals=approvals,
        maker_gone=not row.maker.is_active,
    )


def approvals_of(rows: Sequence[AuthorisationRequest]) -> dict[UUID, tuple[Said, ...]]:
    """The approvals of the versions that stand, by request, the earliest first: at most one statement."""
    several = {row.id: row.version for row in rows if row.checkers > 1}
    found: dict[UUID, tuple[Said, ...]] = {row.id: () for row in rows}
    if not several:
        return found
    said = Decision.objects.filter(request_id__in=several, verdict=Decision.Verdict.APPROVE).select_related("checker")
    for one in said.order_by("decided_at", "id"):
        if one.version == several[one.request_id]:
            mine = Said(one.checker_person_id, one.checker.username, one.decided_at)
            found[one.request_id] = (*found[one.request_id], mine)
    return found


def _items(rows: Sequence[AuthorisationRequest], actor: Principal, at: datetime) -> list[RequestItem]:
    approvals = approvals_of(rows)
    return [_item(row, approvals[row.id], actor, at) for row in rows]


def _item(row: AuthorisationRequest, approvals: tuple[Said, ...], actor: Principal, at: datetime) -> RequestItem:
    facts = facts_of(row, approvals)
    found = refusal(facts, actor, at)
    return RequestItem(
        facts=facts,
        title=policy_of(facts.kind).title,
        seconds_left=int((facts.expires_at - at).total_seconds()) if facts.is_open else 0,
        why_not=found.sentence if found else "",
    )


def visible_requests(actor: Principal) -> QuerySet[AuthorisationRequest]:
    """Own requests, those of visible desks and account groups, and those of no desk that the actor's rights decide."""
    return AuthorisationRequest.objects.select_related("maker", "claimed_by", "asked_by").filter(
        Q(maker_id=actor.user_id)
        | Q(within_sight(actor), desk_id__isnull=False)
        | Q(desk_id__isnull=True, right__in=actor.rights)
    )


def within_sight(actor: Principal, prefix: str = "") -> Q:
    """Requests of no desk, and those of visible desks about no account group or a visible one."""
    desks = Q(**{f"{prefix}desk_id__in": visible_desks(actor)})
    groups = Q(**{f"{prefix}group_id__isnull": True}) | Q(**{f"{prefix}group_id__in": visible_groups(actor)})
    return Q(**{f"{prefix}desk_id__isnull": True}) | (desks & groups)


def has_open_request(*, kind: str, subject_id: str) -> bool:
    """Whether a request of the kind about this subject waits for anybody."""
    return AuthorisationRequest.objects.filter(kind=kind, subject_id=subject_id, state__in=OPEN).exists()


def list_requests(actor: Principal, tab: str, *, at: datetime, limit: int = 200) -> list[RequestItem]:
    """Requests of a tab: mine (I may decide now), raised (I am the maker, open), all (open), decided (closed).

    Open ones by time left, closed ones by latest; raises ValueError for another tab.
    """
    if tab not in TABS:
        raise ValueError(f"{tab!r} is no tab; use one of {', '.join(TABS)}")
    rows = visible_requests(actor)
    if tab == "decided":
        rows = rows.exclude(state__in=OPEN).order_by("-closed_at", "id")
    else:
        rows = rows.filter(state__in=OPEN).order_by("expires_at", "id")
    if tab == "raised":
        rows = rows.filter(maker_id=actor.user_id)
    if tab == "mine":
        rows = rows.exclude(maker_id=actor.user_id)
    items = _items(list(rows[:limit]), actor, at)
    return [item for item in items if item.may_decide] if tab == "mine" else items


def count_requests(actor: Principal, *, at: datetime) -> dict[str, int]:
    """How many requests each of the open tabs holds (up to 200 each)."""
    return {tab: len(list_requests(actor, tab, at=at)) for tab in ("mine", "raised", "all")}


def get_request(actor: Principal, request_id: UUID, *, at: datetime) -> RequestItem:
    """One request; raises NotFound AUTHORISATION_UNKNOWN when the actor may not see it."""
    row = AuthorisationRequest.objects.select_related("maker", "claimed_by", "asked_by").filter(pk=request_id).first()
    if row is None or not is_visible(facts_of(row, ()), actor):
        raise NotFound("AUTHORISATION_UNKNOWN", "There is no such request that you may see.")
    return _items([row], actor, at)[0]
