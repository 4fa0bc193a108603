"""Runs and their breaks for programs, newest first by key. Runs are seen by who sees totals, breaks by rows (``selectors.seeing``)."""

from __future__ import annotations

from uuid import UUID

from authorisation.domain.principal import Principal
from kernel.errors import NotFound, NotPermitted
from reconciliation.models import Break, Run, RunBreak
from reconciliation.selectors.seeing import sees_totals, visible_breaks

PAGE = 200


def require_see_runs(actor: Principal) -> None:
    """Raises NotPermitted RUNS_NOT_SEEN: a run's figures are the firm's."""
    if not sees_totals(actor):
        raise NotPermitted("RUNS_NOT_SEEN", "Your role does not see reconciliation runs.")


def list_runs(actor: Principal, *, kind: str = "", source: str = "", before: UUID | None = None) -> list[Run]:
    """At most a page; ``before`` is the last id of the page before. Raises NotPermitted."""
    require_see_runs(actor)
    named = {"kind": kind, "source": source, "id__lt": before}
    runs = Run.objects.select_related("file").filter(**{name: value for name, value in named.items() if value})
    return list(runs.order_by("-id")[:PAGE])


def get_run(actor: Principal, run_id: UUID) -> Run:
    """Raises NotPermitted, NotFound RUN_UNKNOWN."""
    require_see_runs(actor)
    run = Run.objects.select_related("file").filter(pk=run_id).first()
    if run is None:
        raise NotFound("RUN_UNKNOWN", "There is no such run.")
    return run


def list_run_breaks(actor: Principal, run_id: UUID, *, after: int = 0) -> list[tuple[Break, str]]:
    """What the run saw, with its word (new, standing, closed), in the order of numbers; ``after`` is the last one of before."""
    get_run(actor, run_id)
    words = dict(RunBreak.objects.filter(run_id=run_id).values_list("item_id", "word"))
    found = visible_breaks(actor).filter(id__in=RunBreak.objects.filter(run_id=run_id).values("item_id"))
    return [(item, words[item.id]) for item in found.filter(number__gt=after).order_by("number")[:PAGE]]
