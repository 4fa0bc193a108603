"""What still waits to be compared since the house started, market by market: for the gate of that market, and for people."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Q

from reconciliation.domain import transitions as moves
from reconciliation.domain.records import Kind
from reconciliation.models import FeedFile, Run
from reconciliation.selectors.places import markets_of_file
from reconciliation.selectors.rules import get_rules
from risk.domain.stops import AT_START
from risk.models import Block, Scope

HOLDING = (Kind.ORDERS.value, Kind.EXECUTIONS.value)
"""What a venue says of orders and trades; the other kinds are compared too and hold nothing up."""
_UNENDED = (moves.WAITING, moves.RUNNING)


@dataclass(frozen=True, slots=True)
class Held:
    """A market that waits, since when, for which runs, and for how long before a person is told."""

    mic: str
    since: datetime
    runs: tuple[Run, ...]
    patience: timedelta


def runs_to_await(*, at: datetime) -> dict[str, list[Run]]:
    """By market: the runs that its gate waits for if the house starts ``at``."""
    return _by_market(Run.objects.filter(kind__in=HOLDING, state__in=_UNENDED, created_at__lte=at))


def list_held() -> list[Held]:
    """Every market whose gate stands, by its name; one of which nothing is left to wait for has no runs."""
    blocks = Block.objects.filter(source=AT_START, scope=Scope.VENUE, lifted_at__isnull=True).order_by("scope_id")
    return [_held(block) for block in blocks]


def _held(block: Block) -> Held:
    since = block.imposed_at
    asked = Run.objects.filter(kind__in=HOLDING, created_at__lte=since)
    given_up = Q(state__in=(moves.FAILED, moves.CANCELED), finished_at__gte=since)
    runs = [
        run
        for run in _by_market(asked.filter(Q(state__in=_UNENDED) | given_up)).get(block.scope_id, [])
        if run.state in _UNENDED or not _settled(run, since)
    ]
    waits = [get_rules(kind=run.kind, source=run.source).of("start_hold") for run in runs]
    return Held(block.scope_id, since, tuple(runs), timedelta(seconds=int(min(waits, default=0))))


def _settled(run: Run, since: datetime) -> bool:
    """Whether what an ended run could not say was said by another, or cannot be: its file turned out unusable and is refused."""
    assert run.file is not None
    compared = Run.objects.filter(file=run.file, state__in=moves.COMPARED, finished_at__gte=since)
    return run.file.state == FeedFile.State.REFUSED or compared.exists()


def _by_market(runs: Iterable[Run]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for run in Run.objects.filter(pk__in=[one.pk for one in runs]).select_related("file__feed").order_by("id"):
        if run.file is None or not get_rules(kind=run.kind, source=run.source).of("start_hold"):
            continue  # trading may begin meanwhile
        for mic in markets_of_file(run.file):
            found.setdefault(mic, []).append(run)
    return found
