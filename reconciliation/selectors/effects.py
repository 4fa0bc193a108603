"""Which breaks do not stop what their policy says, and which have stood open for too long: asked after a run, and by time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from reconciliation.domain import transitions as moves
from reconciliation.domain.effects import NO_POLICY, BreakFacts, Policy, Stands, escalates_at, must_stand
from reconciliation.models import Break, RunBreak
from venues.models import FixSession

SLICE = 500
"""Most breaks looked after in one call."""


@dataclass(frozen=True, slots=True)
class Due:
    """Breaks to settle: what stands is not what must, or they are open past the time of their policy."""

    unsettled: tuple[UUID, ...]
    overdue: tuple[UUID, ...]


def find_due(policies: Mapping[tuple[str, str], Policy], *, at: datetime, run_id: UUID | None = None) -> Due:
    """Of one run's breaks, or of all that are open or left something standing when they were closed."""
    rows = Break.objects.filter(~Q(state=moves.CLOSED) | ~Q(effect="")).select_related("first_run", "last_run")
    if run_id is not None:
        rows = rows.filter(id__in=RunBreak.objects.filter(run_id=run_id).values("item_id"))
    groups = session_groups()
    unsettled, overdue = [], []
    for row in rows.order_by("id").iterator(chunk_size=SLICE):
        policy = policies.get((row.kind, row.category), NO_POLICY)
        if must_stand(policy, facts_of(row, groups)) != row.effect:
            unsettled.append(row.id)
        if is_overdue(row, policy, at=at):
            overdue.append(row.id)
        if len(unsettled) + len(overdue) >= SLICE:
            break
    return Due(tuple(unsettled), tuple(overdue))


def is_overdue(row: Break, policy: Policy, *, at: datetime) -> bool:
    """Open past the time its policy gives, and nobody was told so yet."""
    return (
        row.state == moves.OPEN
        and row.escalated_at is None
        and is_trusted(row)
        and at >= escalates_at(policy, found_at=row.found_at)
    )


def facts_of(row: Break, groups: Mapping[str, str]) -> BreakFacts:
    """The break as its policy asks."""
    return BreakFacts(
        state=row.state,
        effect=row.effect,
        trusted=is_trusted(row),
        exposure=row.exposure,
        account_id=row.account_id,
        instrument_id=row.instrument_id,
        reachable=row.source in groups,
    )


def is_trusted(row: Break) -> bool:
    """A finished run that nobody doubts has seen it."""
    if moves.DONE in (row.first_run.state, row.last_run.state):
        return True
    return RunBreak.objects.filter(item_id=row.id, run__state=moves.DONE).exists()


def session_groups() -> dict[str, str]:
    """The venue behind every name a source may have: a session, its group, or the venue itself."""
    found: dict[str, str] = {}
    for name, group, venue in FixSession.objects.values_list("name", "group", "venue_id"):
        found |= {name: venue, group: venue, venue: venue}
    return found


def standing_words() -> frozenset[str]:
    """The effects behind which a block stands."""
    return frozenset(set(Stands) - {Stands.NOTHING, Stands.TOOTHLESS})
