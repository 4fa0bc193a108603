"""The digest of decisions for compliance: who decided what, how fast, what was overridden, and who tried their own.

Only what the reader may see is counted: requests of desks that were granted, and those of no desk.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from statistics import median
from uuid import UUID

from django.db.models import F, Func, QuerySet, TextField, Value
from django.utils import timezone

from authorisation.domain.four_eyes import APPROVE
from authorisation.domain.policy import policy_of
from authorisation.domain.principal import Principal
from authorisation.domain.transitions import LAPSED, NOT_APPLIED
from authorisation.models import AuthorisationRequest, Decision, User
from authorisation.selectors.requests import within_sight
from authorisation.services.note_self_approval import KIND as SELF_APPROVAL
from journal.models import Event

MOST = 20_000
"""Decisions of one digest; beyond these it says that it is not whole."""


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person's decisions of one kind. ``median_s`` is from being asked (or asked anew) to the word."""

    person: str
    kind: str
    approved: int
    declined: int
    overrides: int
    not_applied: int
    median_s: int


@dataclass(frozen=True, slots=True)
class DayLine:
    """What came of one kind on one day of the reader's zone."""

    day: date
    kind: str
    approved: int
    declined: int
    lapsed: int


@dataclass(frozen=True, slots=True)
class Digest:
    """``self_approvals`` counts refused attempts by person; ``lapsed`` requests nobody decided, by kind."""

    people: tuple[PersonLine, ...]
    days: tuple[DayLine, ...]
    lapsed: tuple[tuple[str, int], ...]
    self_approvals: tuple[tuple[str, int], ...]
    is_whole: bool


@dataclass
class _Sum:
    approved: int = 0
    declined: int = 0
    overrides: int = 0
    not_applied: int = 0
    seconds: list[float] = field(default_factory=list)


def get_digest(*, actor: Principal, since: datetime, until: datetime) -> Digest:
    """The digest of ``since`` to ``until``. An override is an approval of what a check had asked a second person for."""
    decisions = list(
        Decision.objects.filter(
            within_sight(actor, "request__"),
            decided_at__gte=since, decided_at__lt=until,
        )
        .select_related("request", "checker")
        .order_by("-decided_at", "id")[: MOST + 1]
    )  # fmt: skip
    lapsed = AuthorisationRequest.objects.filter(
        within_sight(actor), state=LAPSED, closed_at__gte=since, closed_at__lt=until
    )
    lapses = list(lapsed.order_by("closed_at", "id").values_list("kind", "closed_at")[:MOST])
    kept = decisions[:MOST]
    return Digest(
        people=_people(kept),
        days=_days(kept, lapses),
        lapsed=tuple(sorted(Counter(_title(kind) for kind, _ in lapses).items())),
        self_approvals=_self_approvals(AuthorisationRequest.objects.filter(within_sight(actor)), since, until),
        is_whole=len(decisions) <= MOST,
    )


def _people(decisions: Sequence[Decision]) -> tuple[PersonLine, ...]:
    sums: dict[tuple[str, str], _Sum] = defaultdict(_Sum)
    for one in decisions:
        line = sums[one.checker.username, _title(one.request.kind)]
        approves = one.verdict == APPROVE
        line.approved += approves
        line.declined += not approves
        line.overrides += approves and bool(one.request.reasons)
        line.not_applied += approves and one.request.state == NOT_APPLIED
        line.seconds.append((one.decided_at - one.request.created_at).total_seconds())
    return tuple(
        PersonLine(
            person, kind, line.approved, line.declined, line.overrides, line.not_applied, int(median(line.seconds))
        )
        for (person, kind), line in sorted(sums.items())
    )


def _days(decisions: Sequence[Decision], lapses: Iterable[tuple[str, datetime | None]]) -> tuple[DayLine, ...]:
    counts: dict[tuple[date, str], Counter[str]] = defaultdict(Counter)
    for one in decisions:
        counts[timezone.localdate(one.decided_at), _title(one.request.kind)][one.verdict] += 1
    for kind, closed_at in lapses:
        if closed_at is not None:
            counts[timezone.localdate(closed_at), _title(kind)]["lapsed"] += 1
    return tuple(
        DayLine(day, kind, said["approve"], said["decline"], said["lapsed"])
        for (day, kind), said in sorted(counts.items(), reverse=True)
    )


def _self_approvals(
    seen: QuerySet[AuthorisationRequest], since: datetime, until: datetime
) -> tuple[tuple[str, int], ...]:
    """Refused attempts by person; what they were about must be seen."""
    events = (
        Event.objects.exclude(stream__startswith="order:")
        .annotate(family=Func(F("stream"), Value(":"), Value(1), function="split_part", output_field=TextField()))
        .filter(family="authorisation", kind=SELF_APPROVAL, event_at__gte=since, event_at__lt=until)
        .values_list("stream", "payload")[:MOST]
    )
    tried = [(UUID(stream.partition(":")[2]), payload.get("person_id")) for stream, payload in events]
    visible = set(seen.filter(pk__in={request_id for request_id, _ in tried}).values_list("pk", flat=True))
    counts = Counter(person for request_id, person in tried if request_id in visible)
    names = dict(User.objects.filter(pk__in=counts).values_list("pk", "username"))
    return tuple(sorted((names.get(person, "unknown"), count) for person, count in counts.items()))


def _title(kind: str) -> str:
    return policy_of(kind).title
