"""Which breaks do not stop what their policy says, and which have stood open for too long: asked after a run, and by time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from reconciliation.domain import transitions as moves
from reconciliation.domain.effects import NO_POLICY, BreakFacts, Policy, Stands, escalates_at, must_stand
from reconciliation.models import Break, Run, RunBreak
from venues.models import FixSession

SLICE = 2_000
"""Most breaks the sweeper looks after in one call; those of a run are all looked after when it ends."""
_LOOKED_AT = 1_000
_ASKED = (
    "id", "kind", "category", "source", "state", "effect", "exposure", "account_id", "instrument_id", "found_at",
    "escalated_at", "first_run_id", "last_run_id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Due:
    """Breaks to settle: what stands is not what must, or they are open past the time of their policy."""

    unsettled: tuple[UUID, ...]
    overdue: tuple[UUID, ...]


def find_due(policies: Mapping[tuple[str, str], Policy], *, at: datetime, run_id: UUID | None = None) -> Due:
    """All of one run's breaks, or a slice of those that are open or left something standing when they were closed."""
    wanted = Break.objects.filter(~Q(state=moves.CLOSED) | ~Q(effect=""))
    if run_id is not None:
        wanted = wanted.filter(id__in=RunBreak.objects.filter(run_id=run_id).values("item_id"))
    groups = session_groups()
    unsettled: list[UUID] = []
    overdue: list[UUID] = []
    rows = list(wanted.only(*_ASKED).order_by("id")[:_LOOKED_AT])
    while rows:
        trusted = trusted_among(rows)
        for row in rows:
            policy = policies.get((row.kind, row.category), NO_POLICY)
            if must_stand(policy, facts_of(row, groups, trusted)) != row.effect:
                unsettled.append(row.id)
            if is_overdue(row, policy, trusted, at=at):
                overdue.append(row.id)
        if run_id is None and len(unsettled) + len(overdue) >= SLICE:
            break
        rows = list(wanted.filter(id__gt=rows[-1].id).only(*_ASKED).order_by("id")[:_LOOKED_AT])
    return Due(tuple(unsettled), tuple(overdue))


def is_overdue(row: Break, policy: Policy, trusted: Collection[UUID], *, at: datetime) -> bool:
    """Open past the time its policy gives, and nobody was told so yet."""
    return (
        row.state == moves.OPEN
        and row.escalated_at is None
        and row.id in trusted
        and at >= escalates_at(policy, found_at=row.found_at)
    )


def facts_of(row: Break, groups: Mapping[str, str], trusted: Collection[UUID]) -> BreakFacts:
    """The break as its policy asks; ``trusted`` are those of ``trusted_among``."""
    return BreakFacts(
        state=row.state,
        effect=row.effect,
        trusted=row.id in trusted,
        exposure=row.exposure,
        account_id=row.account_id,
        instrument_id=row.instrument_id,
        reachable=row.source in groups,
    )


def trusted_among(rows: Collection[Break]) -> frozenset[UUID]:
    """Those that a finished run which nobody doubts has seen: two statements, however many."""
    runs = {run_id for row in rows for run_id in (row.first_run_id, row.last_run_id)}
    done = frozenset(Run.objects.filter(id__in=runs, state=moves.DONE).values_list("id", flat=True))
    trusted = {row.id for row in rows if row.first_run_id in done or row.last_run_id in done}
    rest = [row.id for row in rows if row.id not in trusted]
    seen = RunBreak.objects.filter(item_id__in=rest, run__state=moves.DONE).values_list("item_id", flat=True)
    return frozenset(trusted.union(seen if rest else ()))


def session_groups() -> dict[str, str]:
    """The venue behind every name a source may have: a session, its group, or the venue itself."""
    found: dict[str, str] = {}
    for name, group, venue in FixSession.objects.values_list("name", "group", "venue_id"):
        found |= {name: venue, group: venue, venue: venue}
    return found


def standing_words() -> frozenset[str]:
    """The effects behind which a block stands."""
    return frozenset(set(Stands) - {Stands.NOTHING, Stands.TOOTHLESS})
